#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "../common.h"
#include "command.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/place.h"
#include "limbeck/corpus/prepare.h"
#include "limbeck/data/training_record.h"
#include "listing.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::string name;
  std::vector<fs::path> train, valid, test, noise;
  std::string partial;
  bool allow_leak = false;
  fs::path out;
};

void describe(CLI::App& app, Arguments& a) {
  app.add_option("--name", a.name, "name of the data set")->required();
  app.add_option("--train", a.train, "manifests whose train entries are trained on");
  app.add_option("--valid", a.valid, "manifests whose valid entries choose the best checkpoint");
  app.add_option("--test", a.test, "manifests of pairs whose test entries are reported on");
  app.add_option("--noise", a.noise,
                 "manifests of noise, by its own splits, where train and valid name recordings of "
                 "speech and not pairs");
  app.add_option("--partial", a.partial,
                 "say that this is part of the data set, and which: '120 of 824 test utterances'; "
                 "shown under every table");
  app.add_flag("--allow-leak", a.allow_leak, "lock it although splits share files or speakers");
  app.add_option("--out", a.out, "protocol to write (YAML)")->required();
}

Role role_of(const Manifest& manifest) {
  return manifest.kind == Manifest::Kind::pairs ? Role::pairs : Role::speech;
}

void add_noise(Protocol& protocol, Split split, const std::vector<fs::path>& manifests) {
  if (protocol.of(split).speech.empty()) return;
  for (const fs::path& path : manifests) {
    const Manifest manifest = Manifest::read(path);
    if (!manifest.filter(split).entries.empty()) protocol.add(split, Role::noise, manifest);
  }
  if (!protocol.of(split).noise.empty()) return;
  throw DataError(
      format("split %s names recordings, which need noise: no manifest given with "
             "--noise has entries of that split",
             split_name(split)));
}

Protocol make_protocol(const Arguments& a) {
  Protocol protocol;
  protocol.name = a.name;
  protocol.file = a.out;
  protocol.partial = !a.partial.empty();
  protocol.note = a.partial;
  for (const auto& [split, manifests] :
       {std::pair(Split::train, &a.train), std::pair(Split::valid, &a.valid)}) {
    for (const fs::path& path : *manifests) {
      const Manifest manifest = Manifest::read(path);
      protocol.add(split, role_of(manifest), manifest);
    }
    add_noise(protocol, split, a.noise);
  }
  for (const fs::path& path : a.test) {
    protocol.add(Split::test, Role::pairs, Manifest::read(path));
  }
  return protocol;
}

int run(const Arguments& a, Logger& logger) {
  if (a.train.empty() && a.valid.empty() && a.test.empty()) {
    throw ConfigError("nothing to lock: give --train, --valid or --test");
  }
  std::vector<fs::path> read;
  for (const auto* paths : {&a.train, &a.valid, &a.test, &a.noise}) {
    read.insert(read.end(), paths->begin(), paths->end());
  }
  require_table(a.out, read);
  Protocol protocol = make_protocol(a);
  refuse_leaks(protocol, a.allow_leak, logger);
  make_folder(a.out.parent_path());
  protocol.write(a.out);
  for (const Split split : {Split::train, Split::valid, Split::test}) {
    for (const Role role : {Role::speech, Role::noise, Role::pairs}) {
      const Manifest part = protocol.manifest(split, role);
      if (part.entries.empty()) continue;
      const std::string line =
          format("%s %s: %s", split_name(split), role_name(role), summary(part));
      print_about(a.out, line, logger);
    }
  }
  print_about(a.out, format("%s: locked, %s", a.out, protocol.content_hash()), logger);
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

Subcommand protocol_command(CLI::App& parent, const SharedOptions&) {
  CLI::App* app = parent.add_subcommand(
      "protocol", "lock manifests as what is trained, validated and tested on");
  auto a = std::make_shared<Arguments>();
  describe(*app, *a);
  return {app, [a](Logger& logger) { return run(*a, logger); }};
}

}  // namespace limbeck
