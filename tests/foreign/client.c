// A client of SavedModels in C, which knows TensorFlow's C API and nothing of albert_tf.
//
// It reads commands, one a line, and prints the outputs of each run:
//
//   library PATH            loads an op library
//   model PATH              opens a SavedModel
//   ids OP ROWS LENGTH ...  an int32 input and its values
//   texts OP ROWS           a string input; its values are the lines that follow
//   output OP INDEX         an output to compute
//   run                     computes and prints "DTYPE SIZE..." and the values of each output

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensorflow/c/c_api.h"

enum { LINE = 1 << 16, MOST = 16 };

static TF_Status* status;
static TF_Graph* graph;
static TF_Session* session;
static TF_Output inputs[MOST], outputs[MOST];
static TF_Tensor *given[MOST], *computed[MOST];
static int num_inputs, num_outputs;

static void fail(const char* what, const char* why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

static void check(const char* what) {
  if (TF_GetCode(status) != TF_OK) fail(what, TF_Message(status));
}

static TF_Output named(const char* name, int index) {
  TF_Operation* operation = graph ? TF_GraphOperationByName(graph, name) : NULL;
  if (operation == NULL) fail(name, "no such operation");
  return (TF_Output){operation, index};
}

static void load_library(const char* path) {
  TF_LoadLibrary(path, status);
  check(path);
}

static void open_model(const char* path) {
  const char* tags[] = {"serve"};
  TF_SessionOptions* options = TF_NewSessionOptions();
  graph = TF_NewGraph();
  session = TF_LoadSessionFromSavedModel(options, NULL, path, tags, 1, graph, NULL, status);
  check(path);
  TF_DeleteSessionOptions(options);
}

static void add_input(const char* name, TF_Tensor* tensor) {
  inputs[num_inputs] = named(name, 0);
  given[num_inputs++] = tensor;
}

static void add_ids(char* rest) {
  const char* name = strtok(rest, " ");
  int64_t shape[] = {atoll(strtok(NULL, " ")), atoll(strtok(NULL, " "))};
  int64_t size = shape[0] * shape[1];
  TF_Tensor* tensor = TF_AllocateTensor(TF_INT32, shape, 2, size * sizeof(int32_t));
  int32_t* values = TF_TensorData(tensor);
  for (int64_t i = 0; i < size; ++i) values[i] = atoi(strtok(NULL, " "));
  add_input(name, tensor);
}

static void add_texts(char* rest) {
  static char line[LINE];
  const char* name = strtok(rest, " ");
  int64_t rows = atoll(strtok(NULL, " "));
  TF_Tensor* tensor = TF_AllocateTensor(TF_STRING, &rows, 1, rows * sizeof(TF_TString));
  TF_TString* values = TF_TensorData(tensor);
  for (int64_t i = 0; i < rows; ++i) {
    if (!fgets(line, LINE, stdin)) fail(name, "fewer lines than rows");
    line[strcspn(line, "\n")] = 0;
    TF_StringInit(&values[i]);
    TF_StringCopy(&values[i], line, strlen(line));
  }
  add_input(name, tensor);
}

static void print(const TF_Tensor* tensor) {
  int64_t size = 1;
  TF_DataType dtype = TF_TensorType(tensor);
  printf("%s", dtype == TF_FLOAT ? "float32" : dtype == TF_INT32 ? "int32" : "string");
  for (int i = 0; i < TF_NumDims(tensor); ++i) {
    printf(" %lld", (long long)TF_Dim(tensor, i));
    size *= TF_Dim(tensor, i);
  }
  printf("\n");
  for (int64_t i = 0; i < size; ++i) {
    if (dtype == TF_FLOAT) {
      printf("%.9g\n", ((float*)TF_TensorData(tensor))[i]);
    } else if (dtype == TF_INT32) {
      printf("%d\n", ((int32_t*)TF_TensorData(tensor))[i]);
    } else {
      const TF_TString* text = &((TF_TString*)TF_TensorData(tensor))[i];
      printf("%.*s\n", (int)TF_StringGetSize(text), TF_StringGetDataPointer(text));
    }
  }
}

static void run(void) {
  TF_SessionRun(session, NULL, inputs, given, num_inputs, outputs, computed, num_outputs, NULL, 0,
                NULL, status);
  check("run");
  for (int i = 0; i < num_inputs; ++i) TF_DeleteTensor(given[i]);
  for (int i = 0; i < num_outputs; ++i) {
    print(computed[i]);
    TF_DeleteTensor(computed[i]);
  }
  num_inputs = num_outputs = 0;
}

int main(void) {
  static char line[LINE];
  status = TF_NewStatus();
  while (fgets(line, LINE, stdin)) {
    line[strcspn(line, "\n")] = 0;
    char* rest = strchr(line, ' ');
    if (rest) *rest++ = 0;
    if (!strcmp(line, "library")) load_library(rest);
    if (!strcmp(line, "model")) open_model(rest);
    if (!strcmp(line, "ids")) add_ids(rest);
    if (!strcmp(line, "texts")) add_texts(rest);
    if (!strcmp(line, "output")) {
      const char* name = strtok(rest, " ");
      outputs[num_outputs++] = named(name, atoi(strtok(NULL, " ")));
    }
    if (!strcmp(line, "run")) run();
  }
  return 0;
}
