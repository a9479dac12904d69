#include "limbeck/data/protocol.h"

#include "data/sources/mixing.h"
#include "limbeck/core/files.h"

namespace limbeck {
namespace {

struct ProtocolOptions : config::Component<ProtocolOptions> {
  std::string file;
  MixingOptions mixing;

  void describe(config::Visitor& v) override {
    v.value("file", file, "protocol (limbeck-prepare protocol) that names the manifests",
            config::any().required().names_file());
    v.require(!file.empty(), "file", "names no protocol");
    mixing.describe(v);
  }
};

class LockedData : public DataSource {
 public:
  explicit LockedData(const ProtocolOptions& options) : options_(options) {}

  DataSelection select() const override { return select_data(Protocol::read(options_.file)); }

  std::unique_ptr<Dataset> make_dataset(const DataSelection& data, Split split,
                                        const ExampleOptions& options) const override {
    return data.of(split).pairs.empty() ? options_.mixing.make_mixtures(data, split, options)
                                        : make_pairs(data, split, options);
  }

  std::unique_ptr<Dataset> make_fixed_validation(const DataSelection& data,
                                                 const ExampleOptions& options) const override {
    return options_.mixing.make_fixed_validation(data, options);
  }

  std::vector<ManifestEntry> listed_responses() const override {
    return options_.mixing.listed_responses();
  }

  std::string response_folder() const override { return options_.mixing.response_folder(); }

  std::map<std::string, std::string> contents(const DataSelection& data,
                                              int64_t rate_hz) const override {
    std::string roles;
    for (const Role role : {Role::speech, Role::noise, Role::pairs}) {
      roles += content_of(data, role) + "\n";
    }
    std::map<std::string, std::string> all = {{"file", hash_bytes(roles.data(), roles.size())}};
    options_.mixing.add_contents(all, rate_hz);
    return all;
  }

  std::string protocol_file() const override { return options_.file; }

 private:
  ProtocolOptions options_;
};

}  // namespace

void add_protocol(SourceRegistry& sources) {
  sources.add<LockedData, ProtocolOptions>("protocol",
                                           "locked manifests of pairs, or of speech and noise");
}

}  // namespace limbeck
