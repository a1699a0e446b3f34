#The tests drive the actors one message at a time, with flows written as users write them.
target_link_libraries(test_actors PRIVATE skein_schemas skein_caf spdlog::spdlog)
