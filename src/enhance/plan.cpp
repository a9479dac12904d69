#include "limbeck/enhance/plan.h"

#include <map>
#include <set>

#include "enhance/inputs.h"
#include "limbeck/audio/audio_path.h"
#include "limbeck/audio/stream_writer.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/core/id_paths.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/core/place.h"

namespace limbeck {
namespace fs = std::filesystem;
namespace {

/// A name for a file where a folder's is expected would make a folder of that name.
void require_folder_name(const fs::path& out) {
  std::error_code missing;
  if (!is_audio_path(out) || fs::is_directory(out, missing)) return;
  throw ConfigError("--out: " + out.string() +
                    " is to be a folder; a single result goes into any file by --out - > FILE");
}

/// Where each input's result goes. The same file that is named twice is taken once.
std::vector<PlannedFile> with_outputs(const std::vector<FoundInputs::File>& found,
                                      const PlanOptions& options) {
  std::vector<PlannedFile> files;
  std::map<fs::path, size_t> writers;
  std::vector<std::string> clashes;
  for (const auto& [input, relative] : found) {
    fs::path output = options.out / relative;
    if (!options.format.empty()) output.replace_extension(options.format);
    const auto [writer, is_new] = writers.emplace(output, files.size());
    if (is_new) {
      files.push_back({input, output, {}, {}});
      continue;
    }
    const fs::path& other = files[writer->second].input;
    if (other != input && file_number(other) != file_number(input)) {
      clashes.push_back(output.string() + ": from " + other.string() + " and " + input.string());
    }
  }
  for (const PlannedFile& file : files) {
    for (fs::path folder = file.output; folder.has_relative_path();) {
      folder = folder.parent_path();
      const auto at = writers.find(folder);
      if (at == writers.end()) continue;
      clashes.push_back(folder.string() + ": from " + files[at->second].input.string() +
                        ", and a folder for " + file.input.string());
    }
  }
  if (clashes.empty()) return files;
  throw ConfigError(
      "two inputs would be written to one file; give each folder a call and an --out of "
      "its own:" +
      listed(clashes));
}

std::vector<fs::path> outputs_of(const std::vector<PlannedFile>& files) {
  std::vector<fs::path> outputs;
  for (const PlannedFile& file : files) outputs.push_back(file.output);
  return outputs;
}

void keep_inputs(const std::vector<PlannedFile>& files, const PlanOptions& options) {
  std::vector<fs::path> inputs = options.kept;
  for (const PlannedFile& file : files) inputs.push_back(file.input);
  require_inputs_kept(outputs_of(files), inputs);
}

/// Takes those files out of `files` whose results are there, or throws.
void leave_existing(std::vector<PlannedFile>& files, const PlanOptions& options,
                    EnhancePlan& plan) {
  std::vector<PlannedFile> missing;
  std::vector<std::string> existing, folders;
  for (PlannedFile& file : files) {
    std::error_code ignored;
    const fs::file_status there = fs::symlink_status(file.output, ignored);
    if (fs::is_directory(there)) folders.push_back(file.output.string());
    if (fs::exists(there) && !options.force) {
      existing.push_back(file.output.string());
    } else {
      missing.push_back(std::move(file));
    }
  }
  if (!folders.empty()) throw ConfigError("folders stand where results go:" + listed(folders));
  if (!existing.empty() && !options.skip_existing) {
    throw ConfigError(
        format("%d of %d results exist; --skip-existing keeps them and does the rest, "
               "--force replaces them:%s",
               existing.size(), files.size(), listed(existing)));
  }
  files = std::move(missing);
  plan.existing.assign(existing.begin(), existing.end());
}

/// Looks at the header. Returns why the file cannot be denoised; empty if it can.
std::string look_at(PlannedFile& file, const std::string& type) {
  try {
    file.read = StreamReader::open(file.input)->info();
    file.written = type.empty() ? file.read : with_format(file.read, type);
  } catch (const Error& e) {
    return without_path(e.what(), file.input);
  }
  return can_write(file.written)
             ? ""
             : "is of a type that can be read, but not written; choose another: --format wav";
}

}  // namespace

EnhancePlan plan_enhancement(const PlanOptions& options, Logger& logger) {
  require_folder_name(options.out);
  if (!options.format.empty()) with_format({.rate_hz = 16000, .channels = 1}, options.format);
  FoundInputs found = find_inputs(options.inputs, options.out);
  if (!found.passed_over.empty()) logger.info("passed over in folders: " + found.passed_over);
  EnhancePlan plan;
  plan.failures = std::move(found.failures);
  std::vector<PlannedFile> files = with_outputs(found.files, options);
  keep_inputs(files, options);
  leave_existing(files, options, plan);
  std::set<fs::path> folders;
  for (const PlannedFile& file : files) {
    if (folders.insert(file.output.parent_path()).second) require_writable(file.output);
  }
  for (PlannedFile& file : files) {
    throw_if_interrupted();
    const std::string reason = look_at(file, options.format);
    if (reason.empty()) {
      plan.files.push_back(std::move(file));
    } else {
      plan.failures.push_back({file.input, reason});
    }
  }
  return plan;
}

}  // namespace limbeck
