#include "device/fake_device.h"

#include <ATen/Context.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>
#include <torch/types.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <limits>
#include <mutex>
#include <set>
#include <sstream>
#include <tuple>
#include <utility>

namespace limbeck::test {
namespace {

const at::Device kDevice(c10::DeviceType::PrivateUse1, 0);

// What the device was asked for.

class Waits {
 public:
  void add(const std::string& what) {
    const std::scoped_lock lock(mutex_);
    all_.push_back(what);
  }
  std::vector<std::string> take() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(all_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> all_;
};

Waits& waits() {
  static Waits all;
  return all;
}

std::atomic<int64_t> bytes_in_use = 0;
std::atomic<int64_t> bytes_allowed = std::numeric_limits<int64_t>::max();

// Tensors of the device hold the storage of a tensor on the host as their context, and no address.

struct Memory {
  c10::Storage host;
  int64_t bytes;
};

c10::Storage on_device(const c10::Storage& host) {
  const auto bytes = static_cast<int64_t>(host.nbytes());
  TORCH_CHECK_WITH(OutOfMemoryError, bytes_in_use + bytes <= bytes_allowed,
                   "fake device out of memory. Tried to allocate ", bytes, " bytes. ");
  bytes_in_use += bytes;
  const auto release = [](void* context) {
    auto* memory = static_cast<Memory*>(context);
    bytes_in_use -= memory->bytes;
    delete memory;
  };
  auto* memory = new Memory{host, bytes};
  // No address of a process has its highest bit set: who follows this one ends there.
  void* nowhere = bytes == 0 ? nullptr
                             : reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(host.data()) |
                                                       (uintptr_t{1} << 63));
  return {c10::Storage::use_byte_size_t(), static_cast<size_t>(bytes),
          at::DataPtr(nowhere, memory, release, kDevice), nullptr, false};
}

bool is_fake(const at::Tensor& x) { return x.defined() && x.device() == kDevice; }

const c10::Storage& memory_of(const at::Tensor& x) {
  return static_cast<Memory*>(x.storage().data_ptr().get_context())->host;
}

/// A tensor of the other side in the order of `like`, on `storage`.
at::Tensor counterpart(const at::Tensor& like, const c10::Storage& storage,
                       c10::DispatchKeySet keys) {
  auto tensor = at::detail::make_tensor<c10::TensorImpl>(c10::Storage(storage), keys, like.dtype());
  tensor.unsafeGetTensorImpl()->set_sizes_and_strides(like.sizes(), like.strides(),
                                                      like.storage_offset());
  tensor._set_conj(like.is_conj());
  tensor._set_neg(like.is_neg());
  return tensor;
}

at::Tensor on_host(const at::Tensor& x) {
  return counterpart(x, memory_of(x), c10::DispatchKeySet(c10::DispatchKey::CPU));
}

at::Tensor on_device(const at::Tensor& host, const c10::Storage& storage) {
  // That of the device has the say. Without the CPU's, Module::to could not set what a parameter
  // on the CPU holds to it, as it does with a GPU's.
  return counterpart(host, storage,
                     c10::DispatchKeySet({c10::DispatchKey::PrivateUse1, c10::DispatchKey::CPU}));
}

/// One operation, done on the host's side.
class Call {
 public:
  void run(const c10::OperatorHandle& op, torch::jit::Stack* stack, bool may_mix) {
    const auto arguments = op.schema().arguments().size();
    for (size_t i = stack->size() - arguments; i < stack->size(); ++i) {
      (*stack)[i] = to_host((*stack)[i]);
    }
    if (!may_mix) require_one_device(op);
    op.redispatchBoxed(c10::DispatchKeySet(c10::DispatchKey::CPU), stack);
    for (size_t i = stack->size() - op.schema().returns().size(); i < stack->size(); ++i) {
      (*stack)[i] = to_device((*stack)[i]);
    }
    follow_changes();
  }

 private:
  at::Tensor to_host(const at::Tensor& x) {
    given_.push_back({x, is_fake(x) ? on_host(x) : x});
    return given_.back().host;
  }

  c10::IValue to_host(const c10::IValue& value) {
    if (value.isTensor()) return to_host(value.toTensor());
    if (value.isDevice()) return c10::Device(c10::kCPU);
    if (value.isTensorList()) {
      c10::List<at::Tensor> list;
      for (const at::Tensor& x : value.toTensorVector()) list.push_back(to_host(x));
      return list;
    }
    if (value.isOptionalTensorList()) {
      c10::List<std::optional<at::Tensor>> list;
      for (const auto& x : value.toOptionalTensorVector()) {
        list.push_back(x ? std::optional(to_host(*x)) : std::nullopt);
      }
      return list;
    }
    return value;
  }

  at::Tensor to_device(const at::Tensor& made) {
    if (!made.defined()) return made;
    for (const auto& [given, host] : given_) {
      if (host.is_same(made)) return given;
    }
    for (const auto& [given, host] : given_) {  // a view
      if (!is_fake(given) || !host.storage().is_alias_of(made.storage())) continue;
      return on_device(made, given.storage());
    }
    return on_device(made, on_device(made.storage()));
  }

  c10::IValue to_device(const c10::IValue& value) {
    if (value.isTensor()) return to_device(value.toTensor());
    if (!value.isTensorList()) return value;
    c10::List<at::Tensor> list;
    for (const at::Tensor& x : value.toTensorVector()) list.push_back(to_device(x));
    return list;
  }

  void require_one_device(const c10::OperatorHandle& op) const {
    for (const auto& [given, host] : given_) {
      TORCH_CHECK(!given.defined() || is_fake(given) || given.dim() == 0, op.schema().name(),
                  ": a tensor on the CPU, ", given.sizes(), ", among those of the device");
    }
  }

  /// Operations may give a tensor that they write to another size, or other memory.
  void follow_changes() {
    for (auto& [given, host] : given_) {
      if (!is_fake(given)) continue;
      auto* tensor = given.unsafeGetTensorImpl();
      if (!host.storage().is_alias_of(memory_of(given))) {
        tensor->set_storage_keep_dtype(on_device(host.storage()));
      } else if (given.storage().nbytes() != host.storage().nbytes()) {
        const c10::Storage grown = on_device(host.storage());
        given.storage().set_data_ptr_noswap(std::move(const_cast<at::DataPtr&>(grown.data_ptr())));
        given.storage().set_nbytes(host.storage().nbytes());
      }
      if (given.sizes() == host.sizes() && given.strides() == host.strides()) continue;
      tensor->set_sizes_and_strides(host.sizes(), host.strides(), host.storage_offset());
    }
  }

  struct Pair {
    at::Tensor given, host;
  };
  std::vector<Pair> given_;
};

std::string text_of(const at::Tensor& x) {
  std::ostringstream text;
  text << x.scalar_type() << ' ' << x.sizes();
  return text.str();
}

/// What a GPU cannot answer before all it was asked for is done.
bool waits_for_values(const std::string& name) {
  static constexpr std::array kNames = {
      "aten::_local_scalar_dense", "aten::equal",    "aten::nonzero",
      "aten::masked_select",       "aten::_unique2", "aten::repeat_interleave"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

void run(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  if (waits_for_values(op.schema().name())) waits().add(op.schema().name());
  Call().run(op, stack, false);
}

bool is_pinned(const void* data);

void copy(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  constexpr size_t kStaged = 65536;  // bytes that CUDA takes over at once from any memory
  const auto& to = (*stack)[stack->size() - 3].toTensor();
  const auto& from = (*stack)[stack->size() - 2].toTensor();
  const bool may_go_on = (*stack)[stack->size() - 1].toBool();
  if (!is_fake(to)) waits().add("read " + text_of(from));
  if (!is_fake(from) &&
      !(may_go_on && (from.nbytes() <= kStaged || is_pinned(from.storage().data())))) {
    waits().add("sent " + text_of(from));
  }
  Call().run(op, stack, true);
}

/// at::gru asks of a device that is not the CPU what no kernel of the CPU does. This is what it
/// does there, for `x` [S, N, C] and with biases.
std::tuple<at::Tensor, at::Tensor> gru(const at::Tensor& x, const at::Tensor& start,
                                       at::TensorList weights, bool /*has_biases*/, int64_t layers,
                                       double /*dropout*/, bool /*training*/, bool bidirectional,
                                       bool /*batch_first*/) {
  at::Tensor y = x;
  std::vector<at::Tensor> ends;
  const auto starts = start.unbind(0);
  for (int64_t layer = 0; layer < layers; ++layer) {
    std::vector<at::Tensor> outputs;
    for (const bool back : {false, true}) {
      if (back && !bidirectional) continue;
      const auto* w = weights.begin() + 4 * ends.size();
      auto inputs = at::linear(y, w[0], w[2]).unbind(0);
      if (back) std::reverse(inputs.begin(), inputs.end());
      at::Tensor h = starts[ends.size()];
      std::vector<at::Tensor> steps;
      for (const at::Tensor& input : inputs) {
        const auto i = input.unsafe_chunk(3, 1);
        const auto g = at::linear(h, w[1], w[3]).unsafe_chunk(3, 1);
        const auto reset = g[0].add_(i[0]).sigmoid_();
        const auto update = g[1].add_(i[1]).sigmoid_();
        const auto fresh = i[2].add(g[2].mul_(reset)).tanh_();
        steps.push_back(h = (h - fresh).mul_(update).add_(fresh));
      }
      ends.push_back(h);
      if (back) std::reverse(steps.begin(), steps.end());
      outputs.push_back(at::stack(steps));
    }
    y = outputs.size() == 1 ? outputs.front() : at::cat(outputs, 2);
  }
  return {y, at::stack(ends)};
}

// What LibTorch asks of a device beside its operations.

/// Nothing is drawn on this device; its state shall be saved and restored.
class Generator : public c10::GeneratorImpl {
 public:
  Generator() : GeneratorImpl(kDevice, c10::DispatchKeySet(c10::DispatchKey::PrivateUse1)) {}
  void set_current_seed(uint64_t seed) override { seed_ = seed; }
  void set_offset(uint64_t) override {}
  uint64_t get_offset() const override { return 0; }
  uint64_t current_seed() const override { return seed_; }
  uint64_t seed() override { return seed_; }
  void set_state(const c10::TensorImpl& state) override {
    seed_ = *static_cast<const uint64_t*>(state.data());
  }
  c10::intrusive_ptr<c10::TensorImpl> get_state() const override {
    auto state = at::empty({sizeof seed_}, at::kByte);
    std::memcpy(state.data_ptr(), &seed_, sizeof seed_);
    return state.getIntrusivePtr();
  }

 private:
  Generator* clone_impl() const override {
    auto* copy = new Generator();
    copy->seed_ = seed_;
    return copy;
  }
  uint64_t seed_ = 0;
};

/// Memory of the host that the device may read while the host goes on.
class PinnedMemory : public c10::Allocator {
 public:
  at::DataPtr allocate(size_t bytes) override {
    auto memory = c10::GetDefaultCPUAllocator()->allocate(bytes);
    const std::scoped_lock lock(mutex());
    all().insert(memory.get());
    const auto release = [](void* data) {
      {
        const std::scoped_lock lock_of_release(mutex());
        all().erase(data);
      }
      c10::GetDefaultCPUAllocator()->raw_deleter()(data);
    };
    void* data = memory.release_context();
    return {data, data, release, c10::kCPU};
  }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
  static bool holds(const void* data) {
    const std::scoped_lock lock(mutex());
    return all().count(data) > 0;
  }

 private:
  static std::mutex& mutex() {
    static std::mutex of_all;
    return of_all;
  }
  static std::set<const void*>& all() {
    static std::set<const void*> addresses;
    return addresses;
  }
};

bool is_pinned(const void* data) { return PinnedMemory::holds(data); }

struct Hooks : at::PrivateUse1HooksInterface {
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  const at::Generator& getDefaultGenerator(c10::DeviceIndex) const override {
    static const at::Generator generator = at::make_generator<Generator>();
    return generator;
  }
  bool isPinnedPtr(const void* data) const override { return is_pinned(data); }
  c10::Allocator* getPinnedMemoryAllocator() const override {
    static PinnedMemory memory;
    return &memory;
  }
};

struct Guard : c10::impl::DeviceGuardImplInterface {
  c10::DeviceType type() const override { return kDevice.type(); }
  c10::Device exchangeDevice(c10::Device) const override { return kDevice; }
  c10::Device getDevice() const override { return kDevice; }
  void setDevice(c10::Device) const override {}
  void uncheckedSetDevice(c10::Device) const noexcept override {}
  c10::Stream getStream(c10::Device) const noexcept override {
    return c10::Stream(c10::Stream::DEFAULT, kDevice);
  }
  c10::Stream exchangeStream(c10::Stream) const noexcept override { return getStream(kDevice); }
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }
  void synchronizeDevice(const c10::DeviceIndex) const override {}
};

C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard)

/// LibTorch asks one device for pinned memory, which is not to be this one where there is a GPU.
const bool is_known = [] {
  if (at::hasCUDA()) return false;
  static Hooks hooks;
  c10::register_privateuse1_backend("fake_gpu");
  at::RegisterPrivateUse1HooksInterface(&hooks);
  return true;
}();

TORCH_LIBRARY_IMPL(_, PrivateUse1, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&run>());
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, library) {
  library.impl("copy_", torch::CppFunction::makeFromBoxedFunction<&copy>());
  // Where LibTorch would choose a backend, which has none for this device, or compose what the CPU
  // has a kernel for.
  for (const char* name : {"convolution", "convolution_backward", "silu_backward"}) {
    library.impl(name, torch::CppFunction::makeFromBoxedFunction<&run>());
  }
}

TORCH_LIBRARY_IMPL(aten, AutogradPrivateUse1, library) { library.impl("gru.input", &gru); }

}  // namespace

at::Device fake_device() { return kDevice; }

std::vector<std::string> take_waits() { return waits().take(); }

MemoryLimit::MemoryLimit(int64_t bytes) { bytes_allowed = bytes_in_use + bytes; }
MemoryLimit::~MemoryLimit() { bytes_allowed = std::numeric_limits<int64_t>::max(); }

}  // namespace limbeck::test
