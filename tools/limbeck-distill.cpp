#include "common.h"
#include "limbeck/train/explain.h"
#include "session_options.h"

int main(int argc, char** argv) {
  using namespace limbeck;
  Tool tool("limbeck-distill",
            "Distils a student from a trained teacher. Without distill.terms the student is "
            "trained from scratch.",
            "limbeck-distill configs/distill/cosine.yaml --set teacher.checkpoint=runs/teacher "
            "--set run.dir=runs/student\n"
            "  limbeck-distill --explain configs/distill/cosine.yaml --set "
            "teacher.checkpoint=runs/teacher");
  ConfigOptions options(tool.app, "run.device");
  options.add_number_shortcut("--threads", "run.threads", "threads of LibTorch");
  options.add_flag_shortcut("--allow-leak", "data.allow_leak",
                            "go on where train, valid and test share files or speakers");
  SessionOptions session;
  add_session_options(tool.app, session);
  bool explains = false;
  tool.app.add_flag("--explain", explains,
                    "print what is matched with what, and how strongly over 20 batches; train "
                    "nothing");
  return tool.run(argc, argv, [&] {
    TrainingConfig config;
    if (!options.load(config)) return 0;
    if (explains) {
      std::fputs(explain(config, 20).c_str(), stdout);
      return 0;
    }
    session.check_only = options.check;
    run_training(config, session, tool.logger());
    return 0;
  });
}
