# skein_flatbuffers(TARGET FOLDER schemas…)
#
# Generates NAME_generated.h for each NAME.fbs into the build tree and makes them reachable by TARGET
# alone, as "FOLDER/NAME_generated.h". Generated code is a system header: its warnings are not ours.
function(skein_flatbuffers target folder)
  set(root ${CMAKE_CURRENT_BINARY_DIR}/generated)
  set(headers)
  foreach(schema ${ARGN})
    cmake_path(ABSOLUTE_PATH schema)
    cmake_path(GET schema STEM name)
    cmake_path(GET schema PARENT_PATH here)
    set(header ${root}/${folder}/${name}_generated.h)
    file(GLOB siblings CONFIGURE_DEPENDS ${here}/*.fbs)
    add_custom_command(OUTPUT ${header}
      COMMAND ${SKEIN_FLATC} --cpp --scoped-enums --cpp-std c++17 -o ${root}/${folder} ${schema}
      DEPENDS ${siblings}
      COMMENT "flatc ${folder}/${name}.fbs" VERBATIM)
    list(APPEND headers ${header})
  endforeach()
  target_sources(${target} PRIVATE ${headers})
  target_include_directories(${target} SYSTEM PRIVATE ${root})
endfunction()
