include(${PROJECT_SOURCE_DIR}/cmake/flatbuffers.cmake)
skein_flatbuffers(test_schemas evolution
  ${CMAKE_CURRENT_LIST_DIR}/evolution/older.fbs ${CMAKE_CURRENT_LIST_DIR}/evolution/newer.fbs)
target_compile_definitions(test_schemas PRIVATE SKEIN_GOLDEN="${CMAKE_CURRENT_SOURCE_DIR}/golden")
