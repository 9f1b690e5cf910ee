"""`python -m albert_tf COMMAND`: as `albert-tf COMMAND`."""

from albert_tf.commands.main import main

if __name__ == "__main__":
    main()
