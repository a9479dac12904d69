#pragma once

#include <torch/nn/module.h>

#include <memory>
#include <string>

#include "limbeck/config/schema.h"

namespace limbeck::objective {

struct AdapterOptions {
  std::string type = "linear";
  int64_t expansion = 2;
  int64_t kernel_freq = 3;

  void describe(config::Visitor& v);
};

/// The alignment adapter A: maps a student's feature [B, C_S, T, F] to the teacher's channels [B,
/// C_T, T, F]. Used in training only. `linear` is a 1x1 convolution (mixes channels),
/// `frame_linear` one matrix over the C·F vector of a frame, `inverted_bottleneck` a 1x1 expansion,
/// activation, depthwise over F, linear 1x1 projection; `none` needs equal channels.
class Adapter : public torch::nn::Module {
 public:
  virtual at::Tensor forward(const at::Tensor& x) = 0;
};

/// Throws ConfigError that names both shapes if `none` is asked for where the channels differ.
std::shared_ptr<Adapter> make_adapter(const AdapterOptions& options, int64_t student_channels,
                                      int64_t teacher_channels, int64_t bins);

}  // namespace limbeck::objective
