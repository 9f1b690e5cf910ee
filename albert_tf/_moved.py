"""Import paths of version 0.1.0's drafts: they still work, with a DeprecationWarning."""

import importlib
import importlib.abc
import importlib.util
import sys
import warnings

# Folder -> new folder -> the modules that moved there.
_FOLDERS = {
    "checkpoints": {
        "checkpoints.files": "archives bundle hdf5 mapped_file plain_pickle safetensors_file "
        "torch_file",
        "checkpoints.names": "architecture flavors geometry graph",
        "checkpoints.sources": "brightmart hugging_face hugging_face_files keras_file keras_hub "
        "object_graph tf1 tf2_hub tf_h5_file training_state",
        "checkpoints.writers": "hugging_face_tokenizer round_trip",
    },
    "data": {
        "data.pretraining": "beam_pipeline document_format document_readers documents "
        "dynamic_masking manifest masking segments sentence_order sentences shards token_block "
        "workers",
        "data.tasks": "classifier_features examples features glue labels metrics "
        "multiple_choice_features race records rows squad squad_alignment squad_features "
        "squad_metrics squad_predictions squad_windows tables token_features user_files",
        "text": "word_starts",
    },
    "saved_model": {
        "keras_layer": "input_forms keras_layer loaded_function loading shared_weights",
        "saved_model.contract": "check check_encoder",
    },
    "training": {
        "training.engine": "batches callbacks evaluation history loop loss_scale losses "
        "preemption progress state strategy train_step",
        "training.finetuning": "classification_task collapse entities finetune race_task recipes "
        "squad_task tagging_task",
        "training.optimizers": "schedules weight_decay",
        "training.pretraining": "curriculum pretrain",
    },
}
# Modules that also have another name now.
_RENAMED = {
    "checkpoints.hugging_face_writer": "checkpoints.writers.hugging_face",
    "checkpoints.tf1_writer": "checkpoints.writers.tf1",
    "data.pretraining_data": "data.pretraining.write",
    "training.finetune_options": "training.finetuning.options",
    "training.pretrain_options": "training.pretraining.options",
}
_PACKAGE = __name__.rpartition(".")[0]
MOVED = {
    f"{_PACKAGE}.{old}": f"{_PACKAGE}.{new}"
    for old, new in {
        **{
            f"{folder}.{module}": f"{new_folder}.{module}"
            for folder, new_folders in _FOLDERS.items()
            for new_folder, modules in new_folders.items()
            for module in modules.split()
        },
        **_RENAMED,
    }.items()
}


class _Moved(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds an old path only after everything else has failed to."""

    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_loader(name, self) if name in MOVED else None

    def create_module(self, spec):
        new = MOVED[spec.name]
        warnings.warn(f"{spec.name} has moved: import {new}.", DeprecationWarning, stacklevel=2)
        module = importlib.import_module(new)
        self._spec = module.__spec__
        return module

    def exec_module(self, module):
        module.__spec__ = self._spec  # Which the import of the old name has replaced.


def install():
    """Makes old import paths work."""
    if not any(type(finder).__name__ == _Moved.__name__ for finder in sys.meta_path):
        sys.meta_path.append(_Moved())
