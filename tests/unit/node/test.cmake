# Tests of doctor change rows behind the store's back.
target_link_libraries(test_node PRIVATE skein_rocksdb skein_broker)
