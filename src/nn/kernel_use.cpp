#include "limbeck/nn/kernel_use.h"

#include "limbeck/core/table.h"

namespace limbeck::nn {

std::vector<std::string> KernelUse::lost() const {
  std::vector<std::string> operations;
  for (const auto& [line, calls] : calls_) {
    if (line.fall_back == kFormatLost) operations.push_back(line.operation);
  }
  return operations;
}

std::string KernelUse::text() const {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [line, calls] : calls_) {
    rows.push_back({line.operation, line.by, line.fall_back, std::to_string(calls)});
  }
  return markdown_table({"operation", "by", "no kernel, since", "calls"}, rows, 3);
}

}  // namespace limbeck::nn
