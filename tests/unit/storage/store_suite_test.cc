#include <gtest/gtest.h>

#include "conformance/log_suite.h"
#include "storage/rocks_store.h"
#include "support/folder.h"
#include "support/memory_store.h"
#include "unit/storage/workload.h"

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

/// Reopening is a power loss: nothing that was accepted may need a clean end.
class PowerlessHouse : public StoreHouse {
 public:
  PowerlessHouse() : faulty_(folder_.path() / "db", 3) { open(); }
  Store& store() override { return *store_; }
  void reopen() override {
    faulty_.disk->cut_power();
    store_.reset();
    faulty_.disk->restore_power(true);
    open();
  }

 private:
  void open() {
    auto opened = faulty_.open();
    EXPECT_TRUE(opened) << to_string(opened.error());
    store_ = std::move(*opened);
  }

  Folder folder_;
  FaultyDisk faulty_;
  std::unique_ptr<storage::RocksStore> store_;
};

template <class House>
StoreCase case_of(std::string name) {
  return {std::move(name), [] { return std::unique_ptr<StoreHouse>(std::make_unique<House>()); }};
}

INSTANTIATE_TEST_SUITE_P(Every, StoreSuite,
                         testing::Values(case_of<MemoryHouse>("memory"), case_of<DiskHouse>("disk"),
                                         case_of<PowerlessHouse>("after_power_loss")),
                         [](const auto& of) { return of.param.name; });

} // namespace
} // namespace skein::test
