#!/usr/bin/env bash
# Pre-trains the model that the package carries: raw text -> vocabulary -> records -> model.
#
#   examples/05_pretrain_albert_tiny_en.sh CORPORA OUTPUT
#
# CORPORA has the folders english_novels (computationalstylistics/100_english_novels on GitHub, each
# second novel), nltk_gutenberg, nltk_inaugural and nltk_state_union (of NLTK's data): books and
# speeches in the public domain. Any step that is interrupted goes on when the script is run again.
set -euo pipefail
CORPORA=$(realpath "$1")
EXAMPLES=$(realpath "$(dirname "$0")")
mkdir -p "$2" && cd "$2"

# === Text: all of it in UTF-8, some of it held out ===
copy() { # file, folder, name
  case $3 in
    Stevenson_* | Forster_View* | chesterton-thursday* | *-199?-* | *-200?-*) folder=heldout/$2 ;;
    *) folder=$2 ;;
  esac
  iconv -f utf-8 -t utf-8 "$1" > "text.partial/$folder/$3" 2> /dev/null ||
    iconv -f latin1 -t utf-8 "$1" > "text.partial/$folder/$3"
}
if [ ! -d text ]; then
  rm -rf text.partial
  mkdir -p text.partial/{,heldout/}{novels,gutenberg,speeches}
  for file in "$CORPORA"/english_novels/*_*.txt; do copy "$file" novels "${file##*/}"; done
  for file in "$CORPORA"/nltk_gutenberg/*.txt; do copy "$file" gutenberg "${file##*/}"; done
  for corpus in nltk_inaugural nltk_state_union; do
    for file in "$CORPORA/$corpus"/*.txt; do copy "$file" speeches "$corpus-${file##*/}"; done
  done
  mv text.partial text
fi
TRAIN=text/novels,text/gutenberg,text/speeches

# === Vocabulary ===
[ -f en8k.model ] || albert-tf vocab --input=$TRAIN --output=en8k.model --vocab_size=8000 \
  --lines=wrapped --whole_files

# === Records: three lengths to train on, one to evaluate on ===
records() {
  albert-tf pretraining-data --sp_model=en8k.model --lines=wrapped --whole_files "$@"
}
records --input=text/heldout/novels,text/heldout/gutenberg,text/heldout/speeches \
  --output=heldout_128 --max_seq_length=128 --dupe_factor=1
records --input=$TRAIN --output=train_64 --max_seq_length=64 --dupe_factor=5 --num_shards=16
records --input=$TRAIN --output=train_128 --max_seq_length=128 --dupe_factor=4 --num_shards=16
records --input=$TRAIN --output=train_512 --max_seq_length=512 --dupe_factor=1 --num_shards=16

# === Games: records that cannot do without comparing the two segments, mixed with some of the text ===
if [ ! -d games ]; then
  rm -rf games.partial
  python3 "$EXAMPLES/05_word_games.py" text games.partial
  mv games.partial games
fi
mix() { # game, shards of the game, shards of the text, further flags
  albert-tf pretraining-data --sp_model=en8k.model --input="games/$1" --output="$1_128" \
    --max_seq_length=128 --dupe_factor=1 --num_shards="$2" "${@:4}"
  mkdir -p "mixed_$1"
  for shard in "$1_128"/*.tfrecord $(printf "train_128/pretraining-%05d-of-00016.tfrecord " $3); do
    ln -sf "../$shard" "mixed_$1/${shard//\//-}"
  done
}
mix twice 16 "$(seq 0 5)"
mix changed 4 "$(seq 6 15)" --recipe=original --random_next_sentence
mix drawn 4 "$(seq 0 11)"

# === Model ===
cat > albert_config.json << 'END'
{
 "vocab_size": 8000,
 "embedding_size": 128,
 "hidden_size": 192,
 "num_hidden_layers": 4,
 "num_hidden_groups": 1,
 "inner_group_num": 1,
 "num_attention_heads": 3,
 "intermediate_size": 768,
 "hidden_act": "gelu",
 "hidden_dropout_prob": 0,
 "attention_probs_dropout_prob": 0,
 "max_position_embeddings": 512,
 "type_vocab_size": 2,
 "initializer_range": 0.02
}
END
train() { # output, further flags
  albert-tf pretrain --heldout=heldout_128 --sp_model=en8k.model --optimizer=adamw --learning_rate=1e-3 \
    --warmup_steps=300 --save_every=500 --output="$1" "${@:2}"
}
train_lengths() { # output, steps of each length, further flags
  train "$1" --data=train_64,train_128,train_512 --batch_size=64,32,8 --train_steps="$2" "${@:3}"
}
train_lengths run1 4000,2100,400 --config=albert_config.json --seed=1 --evaluate_every=1300
# It was still learning when the first plan ended; so on from there, by another order of the data.
train_lengths run2 8000,5000,1200 --init_from=run1 --seed=2 --evaluate_every=2000 --precision=bfloat16
# Short rows had spoiled what it knew of later positions: from here on 128 tokens only.
train run3 --data=train_128 --batch_size=32 --train_steps=12000 --init_from=run2 --seed=3 \
  --evaluate_every=3000 --precision=bfloat16
# It did not compare the segments yet, which takes a lower rate, and records that ask for it.
compare() { # output, game, steps, further flags
  train "$1" --data="mixed_$2" --batch_size=32 --train_steps="$3" --precision=bfloat16 \
    --learning_rate=3e-4 "${@:4}"
}
compare run4 twice 7000 --init_from=run3 --seed=4 --evaluate_every=2000
compare run5 changed 6500 --init_from=run4 --seed=5 --evaluate_every=3000 --warmup_steps=100
compare run6 drawn 10000 --init_from=run5 --seed=6 --evaluate_every=5000 --warmup_steps=200

albert-tf convert --checkpoint=run6 --to=huggingface --dtype=float16 --output=albert_tiny_en
