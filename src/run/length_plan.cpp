#include "limbeck/run/length_plan.h"

#include <charconv>

namespace limbeck {
namespace {

constexpr const char* kExtended = "train.extended";

int64_t number_in(const config::Node& map, const char* key) {
  const config::Node* node = map.is_map() ? map.find(key) : nullptr;
  int64_t number = 0;
  if (node) {
    const std::string& text = node->scalar;
    std::from_chars(text.data(), text.data() + text.size(), number);
  }
  return number;
}

}  // namespace

std::vector<Extension> extensions_in(const Identity& identity) {
  const config::Node* train = identity.facts().find("train");
  const config::Node* list = train && train->is_map() ? train->find("extended") : nullptr;
  std::vector<Extension> extensions;
  if (!list) return extensions;
  for (const config::Node& item : list->items) {
    extensions.push_back({number_in(item, "at"), number_in(item, "from"), number_in(item, "to")});
  }
  return extensions;
}

void set_extensions(Identity& identity, const std::vector<Extension>& extensions) {
  config::Node list;
  if (!extensions.empty()) list.kind = config::Node::Kind::list;
  for (const Extension& extension : extensions) {
    config::Node& item = list.items.emplace_back(config::Node::make_map({}));
    for (const auto& [key, number] :
         {std::pair("at", extension.at), {"from", extension.from}, {"to", extension.to}}) {
      item.child(key, {}) = config::Node::make_scalar(std::to_string(number), {});
    }
  }
  identity.set(kExtended, list);
}

}  // namespace limbeck
