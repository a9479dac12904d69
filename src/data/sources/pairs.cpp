#include "data/source.h"

namespace limbeck {
namespace {

struct PairsOptions : config::Component<PairsOptions> {
  ManifestsOptions manifests;

  void describe(config::Visitor& v) override {
    manifests.describe(v, "manifest", "recorded pairs");
  }
};

class Pairs : public DataSource {
 public:
  explicit Pairs(const PairsOptions& options) : options_(options) {}

  DataSelection select() const override {
    DataSelection data;
    options_.manifests.select(Role::pairs, data);
    return data;
  }

  std::unique_ptr<Dataset> make_dataset(const DataSelection& data, Split split,
                                        const ExampleOptions& options) const override {
    return make_pairs(data, split, options);
  }

  std::map<std::string, std::string> contents(const DataSelection& data, int64_t) const override {
    return {{"manifest", content_of(data, Role::pairs)}};
  }

 private:
  PairsOptions options_;
};

}  // namespace

void add_pairs(SourceRegistry& sources) {
  sources.add<Pairs, PairsOptions>("pairs", "recorded pairs of noisy and clean");
}

}  // namespace limbeck
