// The least that a process can do to make one thing durable: open RocksDB, one synced write, close.
// Usage: bare_process DIRECTORY

#include <rocksdb/db.h>

#include <memory>

int main(int count, char** words) {
  if (count < 2) {
    return 2;
  }
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* opened = nullptr;
  if (!rocksdb::DB::Open(options, words[1], &opened).ok()) {
    return 1;
  }
  const std::unique_ptr<rocksdb::DB> database(opened);
  rocksdb::WriteOptions synced;
  synced.sync = true;
  return database->Put(synced, "key", "value").ok() ? 0 : 1;
}
