#include "common.h"
#include "session_options.h"

int main(int argc, char** argv) {
  using namespace limbeck;
  Tool tool("limbeck-pretrain",
            "Trains a denoising autoencoder, usually a teacher, from a YAML file. The same command "
            "goes on after an interruption.",
            "limbeck-pretrain configs/pretrain/demo_teacher.yaml --set run.dir=runs/teacher --set "
            "train.steps=2000");
  ConfigOptions options(tool.app, "run.device");
  options.add_number_shortcut("--threads", "run.threads", "threads of LibTorch");
  options.add_flag_shortcut("--allow-leak", "data.allow_leak",
                            "go on where train, valid and test share files or speakers");
  SessionOptions session;
  add_session_options(tool.app, session);
  return tool.run(argc, argv, [&] {
    TrainingConfig config;
    if (!options.load(config)) return 0;
    require_no_teacher(config);
    session.check_only = options.check;
    run_training(config, session, tool.logger());
    return 0;
  });
}
