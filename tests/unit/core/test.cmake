# The loader's tests read real YAML, with its places.
target_link_libraries(test_core PRIVATE skein_schemas)
