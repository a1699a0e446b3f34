# Compiler launcher, linker, warnings and instrumentation: one place for every target.

find_program(SKEIN_CCACHE ccache)
if(SKEIN_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${SKEIN_CCACHE})
endif()

find_program(SKEIN_MOLD mold)
if(SKEIN_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_library(skein_options INTERFACE)
target_compile_options(skein_options INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
  -Wcast-qual -Wimplicit-fallthrough -fno-omit-frame-pointer)

if(SKEIN_SANITIZE)
  add_compile_options(-fsanitize=${SKEIN_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SKEIN_SANITIZE})
endif()
if(SKEIN_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()
