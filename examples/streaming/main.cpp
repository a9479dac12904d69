#include <ATen/Parallel.h>
#include <torch/types.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>

#include "limbeck/audio/io.h"
#include "limbeck/audio/resample.h"
#include "limbeck/core/error.h"
#include "limbeck/core/format.h"
#include "limbeck/nn/model_file.h"
#include "limbeck/nn/streaming_denoiser.h"

// Denoises a file as if it came from a microphone, hop by hop.
//
//     streaming MODEL IN.wav OUT.wav
//
// MODEL is a model file; of a network that looks ahead, the output comes so much later.

namespace {

using namespace limbeck;

Waveform denoise(const std::string& model_file, const Waveform& input) {
  const std::shared_ptr<nn::DenoisingModel> model = nn::read_model(model_file);
  const auto rate_hz = static_cast<int>(model->rate_hz());
  model->fuse();
  const auto hop = std::llround(rate_hz / model->frames_per_second());
  const Waveform noisy = resample(input, rate_hz);
  nn::StreamingDenoiser denoiser(model);

  Waveform out{{}, rate_hz};
  out.samples.reserve(noisy.samples.size());
  const auto play = [&](const at::Tensor& samples) {  // a program would hand them to a loudspeaker
    const auto flat = samples.contiguous();
    out.samples.insert(out.samples.end(), flat.data_ptr<float>(),
                       flat.data_ptr<float>() + flat.numel());
  };
  const auto start = std::chrono::steady_clock::now();
  for (int64_t first = 0; first < noisy.size(); first += hop) {
    const auto count = static_cast<size_t>(std::min<int64_t>(hop, noisy.size() - first));
    play(denoiser.process(torch::tensor(at::ArrayRef(noisy.samples.data() + first, count))));
  }
  play(denoiser.flush());
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double hop_ms = 1000.0 * static_cast<double>(hop) / rate_hz;
  print("hops of %.1f ms in %.2f ms each; the output comes %.1f ms late\n", hop_ms,
        hop_ms * seconds / noisy.seconds(),
        hop_ms + 1000.0 * static_cast<double>(denoiser.delay_samples()) / rate_hz);
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    print("usage: streaming MODEL IN.wav OUT.wav\n");
    return static_cast<int>(ExitCode::config);
  }
  try {
    at::set_num_threads(1);  // frames this small gain nothing from more
    write_audio(argv[3], denoise(argv[1], read_audio(argv[2])));
    return 0;
  } catch (const Error& e) {
    std::cerr << "streaming: " << e.what() << "\n";
    return static_cast<int>(e.code());
  }
}
