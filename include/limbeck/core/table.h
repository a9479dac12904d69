#pragma once

#include <string>
#include <vector>

namespace limbeck {

/// A Markdown table whose columns are padded, so that it reads well on a terminal and pastes into a
/// paper. The first `text_columns` columns are left-aligned, the others (numbers) right-aligned.
std::string markdown_table(const std::vector<std::string>& header,
                           const std::vector<std::vector<std::string>>& rows,
                           size_t text_columns = 1);

}  // namespace limbeck
