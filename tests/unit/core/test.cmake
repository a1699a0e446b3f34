# The loader's tests read real YAML, with its places, and compare it with the schema.
target_link_libraries(test_core PRIVATE skein_schemas date::date-tz)
target_compile_definitions(test_core PRIVATE
  SKEIN_FLOW_SCHEMA="${PROJECT_SOURCE_DIR}/schemas/resources/flow.schema.json"
  SKEIN_EXPRESSIONS_PAGE="${PROJECT_SOURCE_DIR}/docs/expressions.md")
target_compile_definitions(test_core PRIVATE
  SKEIN_CRON_ORACLE="${PROJECT_SOURCE_DIR}/tests/unit/core/schedule/oracle.tsv")
target_compile_definitions(test_core PRIVATE
  SKEIN_TRIGGER_SCHEMA="${PROJECT_SOURCE_DIR}/schemas/resources/trigger.schema.json")
