#pragma once

#include <string>
#include <utility>
#include <vector>

namespace limbeck {

/// One example of a preview, in words.
struct PreviewCard {
  std::string number;  ///< "01": first part of its files' names
  std::string title;
  double seconds = 0;
  std::vector<std::pair<std::string, std::string>> facts;  ///< name and value
};

struct PreviewPage {
  std::string title;
  std::vector<std::pair<std::string, std::string>> facts;
  int rate_hz = 0;
  std::vector<PreviewCard> cards;
};

/// index.html: nothing in it is loaded but the WAV and PNG files beside it.
std::string preview_html(const PreviewPage& page);

}  // namespace limbeck
