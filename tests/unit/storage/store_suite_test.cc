#include <gtest/gtest.h>

#include "conformance/store_suite.h"
#include "storage/rocks_store.h"
#include "support/folder.h"
#include "support/memory_store.h"

namespace skein::test {
namespace {

class MemoryHouse : public StoreHouse {
 public:
  Store& store() override { return store_; }

 private:
  MemoryStore store_;
};

class DiskHouse : public StoreHouse {
 public:
  DiskHouse() { reopen(); }
  Store& store() override { return *store_; }
  void reopen() override {
    store_.reset();
    auto opened = storage::RocksStore::open(folder_.path() / "db");
    EXPECT_TRUE(opened) << to_string(opened.error());
    store_ = std::move(*opened);
  }

 private:
  Folder folder_;
  std::unique_ptr<storage::RocksStore> store_;
};

template <class House>
StoreCase case_of(std::string name) {
  return {std::move(name), [] { return std::unique_ptr<StoreHouse>(std::make_unique<House>()); }};
}

INSTANTIATE_TEST_SUITE_P(Every, StoreSuite,
                         testing::Values(case_of<MemoryHouse>("memory"),
                                         case_of<DiskHouse>("disk")),
                         [](const auto& of) { return of.param.name; });

} // namespace
} // namespace skein::test
