# Read by ctest after the tests are known: these have the label `slow` and not `fast`.
set_tests_properties(
  broker.fitness.an_account_without_streams_is_not
  broker.fitness.calls_that_reach_beyond_the_account_must_be_denied
  broker.fitness.a_server_that_lets_anybody_in_is_not
  broker.nats_broker.without_a_connection_nothing_is_sent_and_all_is_said
  broker.nats_broker.a_server_that_is_killed_loses_and_doubles_nothing
  broker.nats_broker.what_was_published_without_a_connection_never_arrives
  broker.nats_faults.a_tail_whose_consumer_is_forgotten_is_opened_again_where_it_was
  broker.nats_faults.a_frozen_server_is_left_and_reading_goes_on_when_it_thaws
  broker.nats_security.a_server_that_another_authority_signed_is_refused
  PROPERTIES LABELS slow)
