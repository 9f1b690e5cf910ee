from tests.commands.command import run
from tests.conftest import GOLDENS

TINY = GOLDENS / "tiny"


def test_complete_checkpoint():
    process = run("export.inspect", f"--checkpoint={TINY}")
    assert process.returncode == 0, process.stderr
    for line in (
        "original TF1 checkpoint",
        "  hidden_act = 'gelu'",
        "33 variables, 308,784 bytes, 77,194 parameters of ALBERT",
        "  bert/pooler/dense/bias  float32 [64]  -> pooler_transform/bias",
        "  global_step  int64 []  -> step counter",
        "  masked LM head: ready",
        "  text to ids: lacks its vocabulary (--sp_model or --vocab_file)",
    ):
        assert line in process.stdout


def test_configuration_that_does_not_fit():
    config = GOLDENS / "tiny_groups" / "albert_config.json"
    process = run("export.inspect", f"--checkpoint={TINY}", f"--config={config}", "--novariables")
    assert process.returncode == 1
    assert "  encoder: lacks " in process.stdout and " missing, " in process.stdout
    assert "error: No encoder can be loaded" in process.stderr
