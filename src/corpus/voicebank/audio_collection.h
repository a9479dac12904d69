#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "limbeck/audio/waveform.h"
#include "limbeck/corpus/prepare.h"

namespace limbeck {

/// The audio files of a folder or of a zip file, by their name without folders and extension.
class AudioCollection {
 public:
  struct Item {
    std::string label;    ///< how messages name the file
    std::string version;  ///< another text if the file was replaced; found without reading it
  };

  virtual ~AudioCollection() = default;

  const std::filesystem::path& path() const { return path_; }
  const std::map<std::string, Item>& items() const { return items_; }
  /// Files that share their name with another one of the collection; neither is an item.
  const std::vector<Problem>& problems() const { return problems_; }

  /// Decodes the file of this name, which is one of `items`. May be called by many threads. Throws
  /// DataError, which starts with the label.
  virtual Waveform read(const std::string& name) const = 0;

 protected:
  explicit AudioCollection(std::filesystem::path path) : path_(std::move(path)) {}
  void add(const std::filesystem::path& file, Item item);

 private:
  std::filesystem::path path_;
  std::map<std::string, Item> items_;
  std::map<std::string, std::string> twice_;
  std::vector<Problem> problems_;
};

/// NAME.zip or a folder NAME in `source` or in a folder of it, whichever comes first in this order;
/// null if there is none. `logger` is told what of it is passed over (choose_audio). Throws
/// DataError if what is found cannot be read or holds no audio.
std::unique_ptr<AudioCollection> open_collection(const std::filesystem::path& source,
                                                 const std::string& name, Logger& logger);

struct TextFile {
  std::string label;  ///< how messages name it
  std::string text;
};

/// The file NAME in `source`, in a folder of it, or in ARCHIVE.zip there; nothing if there is none.
/// Throws DataError.
std::optional<TextFile> find_text(const std::filesystem::path& source, const std::string& name,
                                  const std::string& archive);

}  // namespace limbeck
