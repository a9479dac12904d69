#include "train/clip.h"

namespace limbeck {

// Each is a file of clips/.
void add_clip_norm(ClipRegistry&);
void add_no_clip(ClipRegistry&);

const ClipRegistry& clips() {
  static const ClipRegistry registry = [] {
    ClipRegistry all("clip");
    add_clip_norm(all);
    add_no_clip(all);
    return all;
  }();
  return registry;
}

}  // namespace limbeck
