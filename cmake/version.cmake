# The version that `skein version` prints: the release, and the commit it was built from where git knows
# one. Written at configure time; a new commit or tag configures again.

set(SKEIN_COMMIT "")
find_package(Git QUIET)
if(Git_FOUND)
  execute_process(COMMAND ${GIT_EXECUTABLE} describe --always --dirty --abbrev=12 --exclude=*
                  WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE SKEIN_COMMIT
                  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  execute_process(COMMAND ${GIT_EXECUTABLE} rev-parse --git-path logs/HEAD
                  WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE SKEIN_HEAD_LOG
                  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(SKEIN_HEAD_LOG)
    cmake_path(ABSOLUTE_PATH SKEIN_HEAD_LOG BASE_DIRECTORY ${PROJECT_SOURCE_DIR})
    if(EXISTS ${SKEIN_HEAD_LOG})
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${SKEIN_HEAD_LOG})
    endif()
  endif()
endif()
