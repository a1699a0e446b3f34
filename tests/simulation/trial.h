#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "machine.h"

namespace skein::simulation {

/// One seed: a cluster under load and faults, then without faults until everything has ended.
///
///   faults, chosen by the seed ──► 25 s ──► healed ──► every run ends within 90 s ──► checks
class Trial {
 public:
  explicit Trial(std::uint64_t seed, Bug bug = Bug::none, bool verbose = false);
  ~Trial();

  /// What was violated, or nothing.
  std::optional<std::string> run();

 private:
  struct Client { ///< of one run
    RunId run;
    bool started = false;
    bool signalled = false;
  };
  using BatchPlace = std::tuple<PartitionId, LogIndex>;
  using Term = std::tuple<PartitionId, Epoch>;

  Machine& somebody() { return *machines_[world_.random(machines_.size())]; }
  void choose_faults();
  void break_broker(Millis length);
  void break_something();
  void drive(Client& client);
  void on_commit(NodeId node, const Batch& batch);
  void heal();
  bool all_ended();
  void check_runs();
  void check_replicas();
  void check_effects();
  void check_signals();
  void say(const std::string& what) const;
  void violated(const std::string& what);
  void run_until(Instant until);

  World world_;
  const bool verbose_;
  NetworkFaults faults_;
  Server server_;
  Ledger ledger_;
  flow::DefinitionPtr definition_;
  std::vector<std::unique_ptr<Machine>> machines_;
  std::vector<Client> clients_;
  bool local_ = false; ///< one node without a broker
  bool crashes_ = false;
  bool freezes_ = false;
  bool cuts_ = false;
  bool stalls_ = false;
  bool broker_falls_ = false;
  bool tail_lost_ = false;      ///< as the broker falls
  bool message_missed_ = false; ///< by a replica of the broker, since it fell
  bool few_slots_ = false;      ///< so that nodes run attempts of each other
  Instant spared_;              ///< until then nothing happens to the nodes
  bool healed_ = false;
  std::map<BatchPlace, ContentHash> chain_;
  std::map<Term, NodeId> leaders_;
  std::optional<std::string> violation_;
};

} // namespace skein::simulation
