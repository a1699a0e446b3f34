# The tests put a file system of their own beneath the database.
target_link_libraries(test_storage PRIVATE skein_rocksdb)

# What cuts the power or damages a file hundreds of times is no test for every minute.
set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES
             ${CMAKE_CURRENT_SOURCE_DIR}/unit/storage/slow_tests.cmake)
