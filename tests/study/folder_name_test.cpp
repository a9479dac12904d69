#include "study/folder_name.h"

#include <gmock/gmock.h>

#include <set>

namespace limbeck {
namespace {

TEST(FolderName, IsReadableWhereTheNameIs) {
  EXPECT_EQ(folder_name("narrower latent"), "narrower-latent");
  EXPECT_EQ(folder_name("cosine_2.5"), "cosine_2.5");
  EXPECT_TRUE(folder_name("Gain +3 dB").starts_with("gain-3-db-"));
}

TEST(FolderName, IsNeverThatOfAnotherName) {
  std::set<std::string> folders;
  const std::vector<std::string> names = {"gain 3 db",
                                          "gain +3 dB",
                                          "gain -3 dB",
                                          "gain 3 dB",
                                          "gain-3-db",
                                          "gain  3 db",
                                          " gain 3 db",
                                          "gain 3 db ",
                                          "gain/3/db",
                                          "Gain 3 db",
                                          "",
                                          "+",
                                          "-",
                                          ".",
                                          "..",
                                          "...",
                                          "..a",
                                          "a",
                                          "größer",
                                          "gr  er",
                                          "a.",
                                          std::string(300, 'x'),
                                          std::string(301, 'x')};
  for (const std::string& name : names) {
    const std::string folder = folder_name(name);
    EXPECT_TRUE(folders.insert(folder).second) << name << " → " << folder;
    EXPECT_FALSE(folder.empty()) << name;
    EXPECT_NE(folder.front(), '.') << name;
    EXPECT_EQ(folder.find('/'), std::string::npos) << name;
    EXPECT_LT(folder.size(), 100U) << name;
    EXPECT_EQ(folder_name(name), folder);
  }
}

}  // namespace
}  // namespace limbeck
