# The tests put a file system of their own beneath the database.
target_link_libraries(test_storage PRIVATE skein_rocksdb)
