# skein_module(NAME [DEPENDS modules…] [LIBRARIES targets…] [PRECOMPILE headers…])
#
# One folder of the tree as one static library. Its headers are reachable only as "NAME/…", and only by
# targets that link it: the include root is a folder that holds nothing but a link to the module, so an
# include that breaks the layers does not compile. DEPENDS are modules whose headers this one's headers
# use; LIBRARIES are third-party targets and stay private. PRECOMPILE names the few third-party headers
# that cost seconds in most of the module's sources.
function(skein_module name)
  cmake_parse_arguments(arg "" "" "DEPENDS;LIBRARIES;PRECOMPILE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  add_library(skein_${name} STATIC ${sources})
  set(root ${PROJECT_BINARY_DIR}/include_roots/${name})
  file(MAKE_DIRECTORY ${root})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${root}/${name} SYMBOLIC)
  target_include_directories(skein_${name} PUBLIC ${root})
  list(TRANSFORM arg_DEPENDS PREPEND skein_)
  target_link_libraries(skein_${name} PUBLIC ${arg_DEPENDS} PRIVATE skein_options ${arg_LIBRARIES})
  if(arg_PRECOMPILE)
    target_precompile_headers(skein_${name} PRIVATE ${arg_PRECOMPILE})
    # ccache can only store what it can see the inputs of.
    target_compile_options(skein_${name} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
  endif()
endfunction()
