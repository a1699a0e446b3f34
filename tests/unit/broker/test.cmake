# The configurations that are shipped are tried as they are.
target_compile_definitions(test_broker PRIVATE "SKEIN_DEPLOY=\"${PROJECT_SOURCE_DIR}/deploy\"")

# What waits for pings and watchdogs of a real server takes seconds.
set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES
             ${CMAKE_CURRENT_SOURCE_DIR}/unit/broker/slow_tests.cmake)
