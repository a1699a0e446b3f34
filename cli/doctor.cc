#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/commands.h"
#include "node/refold.h"

namespace skein::cli {
namespace {

Value count(std::uint64_t number) { return static_cast<std::int64_t>(number); }

std::string place_of(const storage::Finding& finding) {
  std::string place;
  if (finding.run) {
    place = "run " + finding.run->get();
    if (finding.seq) {
      place += ", entry " + std::to_string(finding.seq->get());
    }
  } else if (finding.partition) {
    place = "partition " + std::to_string(finding.partition->get());
    if (finding.index) {
      place += ", log index " + std::to_string(finding.index->get());
    }
  }
  return place.empty() ? "database" : place;
}

Value to_value(const storage::Finding& finding) {
  const auto or_null = [](const auto& part) { return part ? count(part->get()) : Value(); };
  return object({{"code", to_string(finding.error.code)},
                 {"message", finding.error.detail},
                 {"partition", or_null(finding.partition)},
                 {"index", or_null(finding.index)},
                 {"run", finding.run ? Value(finding.run->get()) : Value()},
                 {"entry", or_null(finding.seq)},
                 {"repairable", finding.repairable},
                 {"repaired", finding.repaired}});
}

Value to_value(const Context& context, const storage::DoctorReport& report) {
  std::vector<Value> findings;
  for (const storage::Finding& finding : report.findings) {
    findings.push_back(to_value(finding));
  }
  return object({{"directory", context.data.string()},
                 {"healthy", report.left() == 0},
                 {"runs", count(report.runs)},
                 {"entries", count(report.entries)},
                 {"retired_entries", count(report.retired)},
                 {"batches", count(report.batches)},
                 {"checkpoints", count(report.checkpoints)},
                 {"found", count(report.found)},
                 {"repairable", count(report.repairable)},
                 {"repaired", count(report.repaired)},
                 {"rows_rebuilt", count(report.rebuilt)},
                 {"findings", Value::of_list(std::move(findings))}});
}

unsigned long long number(std::uint64_t value) { return value; }

void print_text(const Context& context, const storage::DoctorReport& report) {
  for (const storage::Finding& finding : report.findings) {
    std::printf("%s: %s: %s%s\n", harmless(place_of(finding)).c_str(),
                to_string(finding.error.code).c_str(), harmless(finding.error.detail).c_str(),
                finding.repaired ? " (repaired)" : "");
  }
  if (report.found > report.findings.size()) {
    std::printf("… and %llu more\n", number(report.found - report.findings.size()));
  }
  std::printf("%s: %llu runs, %llu entries in %llu batches, %llu checkpoints: ",
              context.data.c_str(), number(report.runs), number(report.entries),
              number(report.batches), number(report.checkpoints));
  if (report.healthy()) {
    std::puts("all is well");
    return;
  }
  std::printf("%llu wrong, %llu repaired\n", number(report.found), number(report.repaired));
  if (report.repaired < report.repairable) {
    std::fprintf(stderr, "hint: %llu can be rebuilt from the journal: skein doctor --repair\n",
                 number(report.repairable));
  }
  if (report.repairable < report.found) {
    std::fputs(
        "hint: what the journal itself lacks is only in a copy: keep this directory, and "
        "restore one from before\n",
        stderr);
  }
}

int examine(const Context& context, bool repair) {
  const bool shown = !context.quiet && ::isatty(STDERR_FILENO) != 0;
  storage::DoctorProgress progress;
  if (shown) {
    progress = [](const storage::DoctorReport& report) {
      std::fprintf(stderr, "\r\033[K%llu of %u partitions: %llu runs, %llu entries, %llu wrong",
                   number(report.examined), unsigned{kPartitions}, number(report.runs),
                   number(report.entries), number(report.found));
    };
  }
  const auto report = node::examine(context.data, repair, progress);
  if (shown) {
    std::fputs("\r\033[K", stderr);
  }
  if (!report) {
    return complain(report.error());
  }
  if (context.format == Format::json || context.format == Format::yaml) {
    print_value(context, to_value(context, *report));
  } else {
    print_text(context, *report);
  }
  return report->left() == 0 ? kDone : kFailed;
}

} // namespace

void add_doctor(CLI::App& app, Chosen& chosen) {
  auto repair = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("doctor", "Verify every byte of the data directory");
  command->add_flag("--repair", *repair, "Rebuild the rows that follow from the journal");
  command->callback([repair, &chosen] {
    chosen = [repair](const Context& context) { return examine(context, *repair); };
  });
}

} // namespace skein::cli
