# Where everything goes: `cmake --install build/release`, and a .deb with `cpack -G DEB`.

set(SKEIN_DOC ${CMAKE_INSTALL_DATAROOTDIR}/doc/skein)
install(TARGETS skein RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES README.md CONTRIBUTING.md CHANGELOG.md SECURITY.md LICENSE DESTINATION ${SKEIN_DOC})
install(DIRECTORY docs DESTINATION ${SKEIN_DOC})
install(FILES LICENSE DESTINATION ${SKEIN_DOC} RENAME copyright)

# The unit names the binary where it is installed.
set(SKEIN_UNIT_BINARY ${CMAKE_INSTALL_FULL_BINDIR}/skein)
configure_file(deploy/skein.service.in packaging/skein.service @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/packaging/skein.service DESTINATION lib/systemd/system)

file(GLOB SKEIN_RESOURCE_SCHEMAS CONFIGURE_DEPENDS schemas/resources/*.json)
install(FILES ${SKEIN_RESOURCE_SCHEMAS} DESTINATION ${CMAKE_INSTALL_DATADIR}/skein/schemas)
if(EXISTS ${PROJECT_SOURCE_DIR}/examples)
  install(DIRECTORY examples DESTINATION ${SKEIN_DOC} USE_SOURCE_PERMISSIONS)
endif()

# The binary knows its own commands, so completions and man page come from it.
set(SKEIN_PAGES)
function(skein_writes file)
  cmake_path(GET file PARENT_PATH folder)
  add_custom_command(OUTPUT ${file}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${folder}
    COMMAND skein ${ARGN} > ${file}.part
    COMMAND ${CMAKE_COMMAND} -E rename ${file}.part ${file}
    DEPENDS skein COMMENT "skein ${ARGN}" VERBATIM)
  set(SKEIN_PAGES ${SKEIN_PAGES} ${file} PARENT_SCOPE)
endfunction()

set(SKEIN_MAN_PAGE ${PROJECT_BINARY_DIR}/packaging/man/skein.1)
skein_writes(${SKEIN_MAN_PAGE} help --man)
install(FILES ${SKEIN_MAN_PAGE} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
set(SKEIN_COMPLETION_PLACES)
foreach(row "bash;bash-completion/completions/skein" "zsh;zsh/site-functions/_skein"
            "fish;fish/vendor_completions.d/skein.fish")
  list(GET row 0 shell)
  list(GET row 1 place)
  set(script ${PROJECT_BINARY_DIR}/packaging/${place})
  cmake_path(GET place PARENT_PATH subfolder)
  skein_writes(${script} completion ${shell})
  install(FILES ${script} DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/${subfolder})
  list(APPEND SKEIN_COMPLETION_PLACES ${place})
endforeach()
add_custom_target(pages ALL DEPENDS ${SKEIN_PAGES})

set(CPACK_PACKAGE_NAME skein)
set(CPACK_PACKAGE_VENDOR "The Skein authors")
set(CPACK_PACKAGE_CONTACT "The Skein authors <noreply@skein.dev>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
set(CPACK_PACKAGE_DESCRIPTION "Every input of a run is journaled before it has an effect, so a run survives
a crash, goes on where it was, and can be replayed, inspected and forked.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "ca-certificates, tzdata")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS bubblewrap)
include(CPack)
