#include "data/sources/mixing.h"

namespace limbeck {
namespace {

struct MixturesOptions : config::Component<MixturesOptions> {
  ManifestsOptions speech;
  ManifestsOptions noise;
  MixingOptions mixing;

  void describe(config::Visitor& v) override {
    speech.describe(v, "speech", "clean recordings");
    noise.describe(v, "noise", "noise recordings");
    mixing.describe(v);
  }
};

class Mixtures : public DataSource {
 public:
  explicit Mixtures(const MixturesOptions& options) : options_(options) {}

  DataSelection select() const override {
    DataSelection data;
    options_.speech.select(Role::speech, data);
    options_.noise.select(Role::noise, data);
    return data;
  }

  std::unique_ptr<Dataset> make_dataset(const DataSelection& data, Split split,
                                        const ExampleOptions& options) const override {
    return options_.mixing.make_mixtures(data, split, options);
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
    std::map<std::string, std::string> all = {{"speech", content_of(data, Role::speech)},
                                              {"noise", content_of(data, Role::noise)}};
    options_.mixing.add_contents(all, rate_hz);
    return all;
  }

 private:
  MixturesOptions options_;
};

}  // namespace

void add_mixtures(SourceRegistry& sources) {
  sources.add<Mixtures, MixturesOptions>("mixtures", "speech and noise, mixed on the fly");
}

}  // namespace limbeck
