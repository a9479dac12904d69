#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "limbeck/core/error.h"
#include "limbeck/core/format.h"

namespace limbeck {

/// Name → options and builder. Filled by an explicit list in a `builtin_*.cpp`: registrars in
/// static objects would vanish from a static library.
///
/// `Options` is the base of all option structs of the family, `Product` what is built, `Arguments`
/// what every builder gets besides its options.
template <class Options, class Product, class... Arguments>
class Registry {
 public:
  /// `family` names the kind of thing in messages ("loss").
  explicit Registry(std::string family) : family_(std::move(family)) {}

  template <class Own>
  void add(const std::string& name, const std::string& help,
           std::unique_ptr<Product> (*builder)(const Own&, Arguments...)) {
    if (!contains(name)) added_.push_back(name);
    entries_[name] = {help, [] { return std::make_unique<Own>(); },
                      [builder](const Options& options, Arguments... arguments) {
                        return builder(dynamic_cast<const Own&>(options),
                                       std::forward<Arguments>(arguments)...);
                      }};
  }

  /// The same for a `Made` that is constructed from its options and the arguments.
  template <class Made, class Own>
  void add(const std::string& name, const std::string& help) {
    add<Own>(name, help,
             [](const Own& options, Arguments... arguments) -> std::unique_ptr<Product> {
               return std::make_unique<Made>(options, std::forward<Arguments>(arguments)...);
             });
  }

  bool contains(const std::string& name) const { return entries_.count(name) > 0; }

  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& [name, entry] : entries_) all.push_back(name);
    return all;
  }

  /// In the order of the builtin list, for families where it means something.
  const std::vector<std::string>& names_as_added() const { return added_; }

  const std::string& help(const std::string& name) const { return entry(name).help; }

  std::unique_ptr<Options> make_options(const std::string& name) const {
    return entry(name).make();
  }

  std::unique_ptr<Product> build(const std::string& name, const Options& options,
                                 Arguments... arguments) const {
    return entry(name).build(options, std::forward<Arguments>(arguments)...);
  }

 private:
  struct Entry {
    std::string help;
    std::function<std::unique_ptr<Options>()> make;
    std::function<std::unique_ptr<Product>(const Options&, Arguments...)> build;
  };

  const Entry& entry(const std::string& name) const {
    const auto found = entries_.find(name);
    if (found == entries_.end()) {
      throw ConfigError("unknown " + family_ + " '" + name + "'; known: " + join(names(), ", "));
    }
    return found->second;
  }

  std::string family_;
  std::map<std::string, Entry> entries_;
  std::vector<std::string> added_;
};

}  // namespace limbeck
