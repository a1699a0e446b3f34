# Read by ctest after the tests are known: these have the label `slow` and not `fast`.
foreach(shard RANGE 0 15)
  set_tests_properties(
    storage.Shard/PowerLoss.at_any_change_of_the_disk_loses_no_accepted_entry/${shard}
    PROPERTIES LABELS slow)
endforeach()
foreach(part RANGE 0 2)
  set_tests_properties(storage.Of/Damage.of_one_bit_anywhere_is_reported_or_loses_nothing/${part}
                       PROPERTIES LABELS slow)
endforeach()
