#include "limbeck/corpus/preview.h"

#include <cmath>

#include "corpus/preview_page.h"
#include "limbeck/audio/io.h"
#include "limbeck/audio/mix.h"
#include "limbeck/audio/spectrogram.h"
#include "limbeck/core/files.h"
#include "limbeck/core/format.h"
#include "limbeck/core/interrupt.h"
#include "limbeck/core/place.h"
#include "limbeck/core/png.h"
#include "limbeck/core/progress.h"
#include "limbeck/data/file_check.h"
#include "limbeck/data/loader.h"

namespace limbeck {
namespace {

using Facts = std::vector<std::pair<std::string, std::string>>;

std::string seconds_text(int64_t samples, int rate_hz) {
  return format("%.2f s", static_cast<double>(samples) / rate_hz);
}

/// "p226_001 from 0.52 s to 2.52 s", one after the other.
std::string pieces_in_words(const std::vector<Piece>& pieces, int rate_hz) {
  std::vector<std::string> texts;
  for (const Piece& piece : pieces) {
    texts.push_back(piece.id + " from " + seconds_text(piece.start, rate_hz) + " to " +
                    seconds_text(piece.start + piece.count, rate_hz));
  }
  return join(texts, ", then ");
}

std::string level_in_words(std::span<const float> samples, int rate_hz) {
  return format("%.1f dBFS active (P.56), %.1f RMS, peak %.2f", active_level_dbfs(samples, rate_hz),
                level_dbfs(samples), peak_of(samples));
}

/// SNR as the clean side and what is added to it have it.
std::string snr_in_words(std::span<const float> noisy, std::span<const float> clean, int rate_hz) {
  std::vector<float> added(noisy.begin(), noisy.end());
  for (size_t i = 0; i < added.size(); ++i) added[i] -= clean[i];
  return format("%.1f dB", active_level_dbfs(clean, rate_hz) - level_dbfs(added));
}

Facts facts_of(const Batch& batch, size_t i, int rate_hz) {
  const Recipe& recipe = batch.recipes[i];
  const auto first = i * static_cast<size_t>(batch.samples);
  const auto valid = static_cast<size_t>(batch.valid_samples[i]);
  const auto noisy = std::span(batch.noisy).subspan(first, valid);
  const auto clean = std::span(batch.clean).subspan(first, valid);
  const bool is_mixture = !recipe.noise.empty();
  Facts facts = {{is_mixture ? "speech" : "pair", pieces_in_words(recipe.speech, rate_hz)}};
  if (is_mixture) {
    facts.emplace_back("noise", pieces_in_words(recipe.noise, rate_hz));
    facts.emplace_back(
        "room", recipe.response.empty()
                    ? "none"
                    : recipe.response + format(", clean keeps the first %g ms", recipe.early_ms));
    facts.emplace_back(
        "drawn", format("speech at %.1f dBFS, SNR %.1f dB", recipe.level_dbfs, recipe.snr_db));
    facts.emplace_back("gains",
                       format("speech %.1f dB, noise %.1f dB", 20 * std::log10(recipe.speech_gain),
                              20 * std::log10(recipe.noise_gain)));
  }
  if (!recipe.noise_of.empty())
    facts.emplace_back("remixed", "with the noise of " + recipe.noise_of);
  if (recipe.removed.high_hz > 0) {
    facts.emplace_back("band removed",
                       format("%.0f to %.0f Hz", recipe.removed.low_hz, recipe.removed.high_hz));
  }
  facts.emplace_back("noisy", level_in_words(noisy, rate_hz));
  facts.emplace_back("clean", level_in_words(clean, rate_hz));
  facts.emplace_back("clean to the rest", snr_in_words(noisy, clean, rate_hz));
  if (batch.valid_samples[i] < batch.samples) {
    facts.emplace_back("padding", "from " + seconds_text(batch.valid_samples[i], rate_hz) +
                                      " on, masked in the loss");
  }
  return facts;
}

void write_side(const std::filesystem::path& stem, std::vector<float> samples, int rate_hz) {
  std::filesystem::path path = stem;
  write_png(path.replace_extension(".png"), spectrogram(samples, rate_hz));
  write_audio(path.replace_extension(".wav"), {std::move(samples), rate_hz}, SampleFormat::float32);
}

std::vector<float> row(const std::vector<float>& samples, const Batch& batch, size_t i) {
  const auto first = samples.begin() + static_cast<int64_t>(i) * batch.samples;
  return {first, first + batch.samples};
}

PreviewPage make_page(const DataOptions& data, const PreviewOptions& options,
                      const std::string& source, const Dataset& dataset) {
  PreviewPage page;
  page.title = format("The first %d training examples", options.count);
  page.rate_hz = dataset.rate_hz();
  page.facts = {{"data", format("%s: %d items for training", source, dataset.size())},
                {"segments", format("%g s at %d Hz, in batches of %d", data.segment_seconds,
                                    dataset.rate_hz(), options.batch_size)},
                {"seed", format("%d", options.seed)}};
  return page;
}

}  // namespace

void write_preview(const DataOptions& data, const PreviewOptions& options, Logger& logger) {
  const DataSelection selection = select_data(data);
  require_sound(selection, Split::train);
  tell_of_response_folders(data, logger);
  const auto dataset = make_train_dataset(data, selection);
  LoaderOptions loading = loader_options(data, options.batch_size, &logger);
  loading.workers = 0;
  Loader loader(*dataset, loading, SeedKey(options.seed));
  PreviewPage page = make_page(data, options, selection.source, *dataset);
  make_folder(options.out);
  Batch batch;
  Progress progress(logger, "drawing", "examples", options.count);
  for (int64_t n = 0; n < options.count; ++n) {
    throw_if_interrupted();
    const auto i = static_cast<size_t>(n % options.batch_size);
    if (i == 0) batch = loader.next();
    const std::string number = format("%02d", n + 1);
    write_side(options.out / (number + "_noisy"), row(batch.noisy, batch, i), page.rate_hz);
    write_side(options.out / (number + "_clean"), row(batch.clean, batch, i), page.rate_hz);
    page.cards.push_back({number, batch.recipes[i].id,
                          static_cast<double>(batch.samples) / page.rate_hz,
                          facts_of(batch, i, page.rate_hz)});
    progress.update(n + 1);
  }
  progress.finish();
  write_file_atomically(options.out / "index.html", preview_html(page));
}

}  // namespace limbeck
