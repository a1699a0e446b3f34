# cmake --build --preset dev --target tidy: clang-tidy over every source of the modules.
find_program(SKEIN_RUN_CLANG_TIDY NAMES run-clang-tidy run-clang-tidy-14)
if(SKEIN_RUN_CLANG_TIDY)
  add_custom_target(tidy
    COMMAND ${SKEIN_RUN_CLANG_TIDY} -quiet -p ${PROJECT_BINARY_DIR}
            "${PROJECT_SOURCE_DIR}/(actors|cli|core|node|schemas|storage|tools)/.*\\.cc$$"
    USES_TERMINAL VERBATIM)
endif()
