# Third-party libraries, all Debian packages (deploy/packages.txt). Modules link them PRIVATE.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(CURL REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(spdlog REQUIRED)
find_package(date REQUIRED)

pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(JEMALLOC REQUIRED IMPORTED_TARGET jemalloc)
pkg_check_modules(NATS REQUIRED IMPORTED_TARGET libnats)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)

# Debian's CAF and RocksDB ship no usable CMake or pkg-config files for every layout: name them.
add_library(skein_caf INTERFACE)
target_link_libraries(skein_caf INTERFACE caf_core Threads::Threads)
# RocksDB's archive rather than its shared object: in the latter every counter is a call for thread-local
# storage, which costs a third of a write (docs/decisions/0020-rocksdb-options.md).
add_library(skein_rocksdb INTERFACE)
find_library(SKEIN_ROCKSDB_ARCHIVE librocksdb.a)
if(SKEIN_ROCKSDB_ARCHIVE)
  target_link_libraries(skein_rocksdb INTERFACE ${SKEIN_ROCKSDB_ARCHIVE}
    snappy z bz2 lz4 zstd gflags Threads::Threads ${CMAKE_DL_LIBS})
else()
  target_link_libraries(skein_rocksdb INTERFACE rocksdb)
endif()
# What a program allocates from: actors come and go on several threads, and their memory with them.
# The sanitizers bring an allocator of their own.
add_library(skein_allocator INTERFACE)
if(NOT SKEIN_SANITIZE)
  target_link_libraries(skein_allocator INTERFACE PkgConfig::JEMALLOC)
endif()
add_library(skein_boost_json INTERFACE)
target_link_libraries(skein_boost_json INTERFACE boost_json Boost::headers)
add_library(skein_flatbuffers INTERFACE)
target_link_libraries(skein_flatbuffers INTERFACE flatbuffers)
find_program(SKEIN_FLATC flatc REQUIRED)
