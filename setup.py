from setuptools import find_packages, setup

# tensorflow-text and tf-keras must have the minor version of tensorflow.
TENSORFLOW = ">=2.21,<2.22"

EXTRAS = {
    # Text in the graph: the tokenizer and preprocessor.
    "text": [f"tensorflow-text{TENSORFLOW}"],
    # hub.KerasLayer, which needs Keras 2 and the pkg_resources that newer setuptools lack.
    "hub": ["tensorflow-hub>=0.16.1", f"tf-keras{TENSORFLOW}", "setuptools<81"],
    "plot": ["matplotlib>=3.9"],
    # Handles: hf://owner/name, and Kaggle's.
    "huggingface_hub": ["huggingface_hub>=0.24"],
    "kagglehub": ["kagglehub>=0.3"],
}
EXTRAS["all"] = [*EXTRAS["text"], *EXTRAS["hub"], *EXTRAS["plot"]]
# It pins an older protobuf.
EXTRAS["beam"] = ["apache-beam>=2.77"]
EXTRAS["dev"] = [
    *EXTRAS["all"],
    "hypothesis>=6.100",
    "psutil>=5.9",
    "pytest>=8",
    "pytest-xdist>=3.6",
    "ruff>=0.6",
]

setup(
    name="albert_tf",
    version="0.1.0",
    description="ALBERT for TensorFlow 2, as Keras layers and reusable SavedModels",
    long_description=open("README.md", encoding="utf-8").read(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    # The commands in export/ are for checkouts; installed packages have `albert-tf`.
    packages=find_packages(include=["albert_tf", "albert_tf.*"]),
    package_data={"albert_tf": ["albert_tiny_en/*"]},
    python_requires=">=3.11",
    install_requires=[
        f"tensorflow{TENSORFLOW}",
        "keras>=3.10",
        "absl-py>=2.1",
        "numpy>=1.26",
        "protobuf>=5",
        # 0.2.3 breaks ties between equally good segmentations otherwise than the op in the graph.
        "sentencepiece>=0.2.0,<0.2.2",
        "tqdm>=4.66",
    ],
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["albert-tf = albert_tf.commands.main:main"]},
)
