# Compiler launcher, linker, warnings and instrumentation: one place for every target.

if(NOT CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
  message(FATAL_ERROR "Skein is built with g++ 12 or newer, or clang 14 or newer")
endif()

# Paths are made relative before they are hashed, so that every clone shares one cache. Precompiled
# headers need the two allowances.
find_program(SKEIN_CCACHE ccache)
if(SKEIN_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}
      CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros ${SKEIN_CCACHE})
endif()

find_program(SKEIN_MOLD mold)
if(SKEIN_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
add_link_options(-Wl,--as-needed -Wl,-z,relro -Wl,-z,now)
add_compile_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}=. -fno-omit-frame-pointer)

add_library(skein_options INTERFACE)
target_compile_options(skein_options INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
  -Wcast-qual -Wimplicit-fallthrough
  # g++ 12 is wrong with these about library code that it inlines at -O2; the sanitizer builds look
  # for the real thing.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized;-Wno-array-bounds;-Wno-restrict;-Wno-stringop-overflow>)
target_compile_options(skein_options INTERFACE
  $<$<CONFIG:RelWithDebInfo>:-D_FORTIFY_SOURCE=2;-fstack-protector-strong>
  $<$<CONFIG:Debug>:-D_GLIBCXX_ASSERTIONS>)

if(SKEIN_SANITIZE)
  add_compile_options(-fsanitize=${SKEIN_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SKEIN_SANITIZE})
endif()
if(SKEIN_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()
