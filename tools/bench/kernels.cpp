#include "bench/kernels.h"

#include "limbeck/core/table.h"

namespace limbeck {

nlohmann::json kernels_json(const nn::KernelUse& use) {
  auto list = nlohmann::json::array();
  for (const auto& [line, calls] : use.calls()) {
    list.push_back({{"operation", line.operation},
                    {"by", line.by},
                    {"calls", calls},
                    {"no_kernel_since", line.fall_back}});
  }
  return list;
}

std::string kernels_text(const std::vector<std::pair<std::string, nn::KernelUse>>& passes) {
  if (passes.size() == 1) return passes.front().second.text();
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, use] : passes) {
    for (const auto& [line, calls] : use.calls()) {
      rows.push_back({name, line.operation, line.by, line.fall_back, std::to_string(calls)});
    }
  }
  return markdown_table({"pass", "operation", "by", "no kernel, since", "calls"}, rows, 4);
}

}  // namespace limbeck
