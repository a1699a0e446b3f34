#include "tools/file/file_tool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "core/base/hash.h"
#include "unit/tools/calls.h"

namespace skein::tools {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class FileTest : public testing::Test {
 protected:
  FileTest() { settings_.roots = {folder_.path(), second_.path()}; }

  ToolResult go(std::string_view op, const std::string& path, const Value& content = {}) {
    return run(tool_, call(op, path, content));
  }
  static ToolCall call(std::string_view op, const std::string& path, const Value& content = {}) {
    return call_of("file", content.is_null()
                               ? object({{"op", op}, {"path", path}})
                               : object({{"op", op}, {"path", path}, {"content", content}}));
  }
  Code refused(std::string_view op, const std::string& path) {
    const ToolResult result = go(op, path, op == "write" || op == "append" ? Value("x") : Value());
    return result.ok() ? Code::interrupted : result.error().code;
  }
  std::string on_disk(const std::string& name) {
    std::ifstream in(folder_.path() + "/" + name);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::string here(const std::string& name) { return folder_.path() + "/" + name; }

  Folder folder_;
  Folder second_;
  Folder outside_;
  ToolSettings settings_;
  FileTool tool_{settings_};
};

TEST_F(FileTest, what_is_written_is_read_with_its_hash) {
  const ToolResult written = go("write", "a/b/c.txt", "hello");
  ASSERT_TRUE(written.ok()) << to_string(written.error());
  EXPECT_EQ(on_disk("a/b/c.txt"), "hello");
  const ToolResult read = go("read", here("a/b/c.txt"));
  ASSERT_TRUE(read.ok()) << to_string(read.error());
  EXPECT_EQ(read->find("content")->as_string(), "hello");
  EXPECT_EQ(*read->find("hash"), *written->find("hash"));
  EXPECT_EQ(*read->find("size"), Value(5));
  for (const auto& entry : fs::directory_iterator(here("a/b"))) {
    EXPECT_EQ(entry.path().filename(), "c.txt"); // nothing else was left
  }
}

TEST_F(FileTest, values_are_written_as_json_and_the_mode_of_a_file_stays) {
  ASSERT_TRUE(go("write", "v.json", json(R"({"b": [1], "a": null})")).ok());
  EXPECT_EQ(on_disk("v.json"), R"({"a":null,"b":[1]})");
  fs::permissions(here("v.json"), fs::perms::owner_all);
  ASSERT_TRUE(go("write", "v.json", "x").ok());
  EXPECT_EQ(fs::status(here("v.json")).permissions(), fs::perms::owner_all);
}

TEST_F(FileTest, bytes_travel_as_base64) {
  ASSERT_TRUE(run(tool_, call_of("file", object({{"op", "write"},
                                                 {"path", "b"},
                                                 {"content", "/wA="},
                                                 {"encoding", "base64"}})))
                  .ok());
  EXPECT_EQ(on_disk("b"), std::string("\xFF\0", 2));
  EXPECT_THAT(go("read", "b").error().hint, HasSubstr("base64"));
  const ToolResult read =
      run(tool_, call_of("file", object({{"op", "read"}, {"path", "b"}, {"encoding", "base64"}})));
  EXPECT_EQ(read->find("content")->as_string(), "/wA=");
  EXPECT_EQ(
      run(tool_,
          call_of(
              "file",
              object({{"op", "write"}, {"path", "b"}, {"content", "%"}, {"encoding", "base64"}})))
          .error()
          .code,
      Code::tool_input_invalid);
}

TEST_F(FileTest, append_list_stat_and_delete_do_what_they_say) {
  ASSERT_TRUE(go("append", "log", "a").ok());
  EXPECT_EQ(*go("append", "log", "b")->find("size"), Value(2));
  EXPECT_EQ(on_disk("log"), "ab");
  fs::create_directory(here("sub"));
  EXPECT_EQ(
      text_of(go("list", ".")),
      R"({"entries":[{"kind":"file","name":"log","size":2},{"kind":"directory","name":"sub","size":)" +
          std::to_string([&] {
            struct stat s;
            ::stat(here("sub").c_str(), &s);
            return s.st_size;
          }()) +
          "}]}");
  EXPECT_EQ(go("stat", "log")->find("kind")->as_string(), "file");
  EXPECT_EQ(text_of(go("stat", "nowhere")), R"({"exists":false})");
  EXPECT_EQ(text_of(go("delete", "log")), R"({"deleted":true})");
  EXPECT_EQ(text_of(go("delete", "log")), R"({"deleted":false})");
  EXPECT_EQ(text_of(go("delete", "no/where")), R"({"deleted":false})");
  EXPECT_EQ(text_of(go("delete", "sub")), R"({"deleted":true})");
}

TEST_F(FileTest, the_class_of_a_call_is_its_operations) {
  const auto class_of = [&](const char* op) { return tool_.effect_class(object({{"op", op}})); };
  EXPECT_EQ(class_of("read"), EffectClass::pure);
  EXPECT_EQ(class_of("list"), EffectClass::pure);
  EXPECT_EQ(class_of("stat"), EffectClass::pure);
  EXPECT_EQ(class_of("write"), EffectClass::verify);
  EXPECT_EQ(class_of("append"), EffectClass::unsafe);
  EXPECT_EQ(class_of("delete"), EffectClass::idempotent);
  EXPECT_EQ(class_of("${ x }"), EffectClass::unsafe);
}

TEST_F(FileTest, a_probe_tells_whether_a_write_has_happened) {
  const ToolCall write = call("write", "p", "content");
  EXPECT_FALSE(tool_.probe(write)->has_value());
  const ToolResult written = run(tool_, write);
  EXPECT_EQ(**tool_.probe(write), *written);
  ASSERT_TRUE(go("write", "p", "other!!").ok());
  EXPECT_FALSE(tool_.probe(write)->has_value());
}

TEST_F(FileTest, what_a_crashed_attempt_left_is_used_up_by_the_next) {
  const ToolCall write = call("write", "p", "content");
  ASSERT_TRUE(run(tool_, write).ok());
  const std::string left = here(".skein-" + to_string(digest(write.key + '\0' + "p")) + ".part");
  std::ofstream(left) << "half";
  ASSERT_TRUE(run(tool_, write).ok());
  EXPECT_FALSE(fs::exists(left));
  EXPECT_EQ(on_disk("p"), "content");
}

TEST_F(FileTest, no_path_leads_out_of_the_roots) {
  std::ofstream(outside_.path() + "/secret") << "secret";
  fs::create_symlink(outside_.path(), here("link"));
  fs::create_symlink(outside_.path() + "/secret", here("file-link"));
  for (const char* op : {"read", "write", "append", "stat", "delete", "list"}) {
    const std::string up = "../" + fs::path(outside_.path()).filename().string() + "/secret";
    EXPECT_EQ(refused(op, up), Code::tool_denied) << op;
    EXPECT_EQ(refused(op, outside_.path() + "/secret"), Code::tool_denied) << op;
    EXPECT_EQ(refused(op, "link/secret"), Code::tool_denied) << op;
    EXPECT_EQ(refused(op, "/proc/self/cwd/x"), Code::tool_denied) << op;
    EXPECT_EQ(refused(op, folder_.path() + "x"), Code::tool_denied) << op;
  }
  for (const char* op : {"read", "write", "append"}) {
    EXPECT_EQ(refused(op, "file-link"), Code::tool_denied) << op;
  }
  EXPECT_TRUE(fs::exists(outside_.path() + "/secret"));
  EXPECT_EQ(refused("delete", "."), Code::tool_denied);
}

TEST_F(FileTest, a_hidden_directory_is_reached_on_no_way_and_all_around_it_is) {
  fs::create_directories(here("data/sub"));
  fs::create_directory(here("other"));
  std::ofstream(here("data/CURRENT")) << "MANIFEST";
  fs::create_directory_symlink(here("data"), here("link"));
  settings_.hidden = {here("data")};
  for (const char* op : {"read", "write", "append", "stat", "delete", "list"}) {
    for (const std::string path :
         {"data", "data/", "data/CURRENT", "data/new", "data/sub/new", "data/sub/../CURRENT",
          "other/../data/CURRENT", "data/.", "data/sub/..", "link/CURRENT"}) {
      EXPECT_EQ(refused(op, path), Code::tool_denied) << op << " " << path;
      EXPECT_EQ(refused(op, here(path)), Code::tool_denied) << op << " " << path;
    }
  }
  EXPECT_EQ(refused("write", "data/made/new"), Code::tool_denied);
  EXPECT_FALSE(fs::exists(here("data/made")));
  EXPECT_EQ(on_disk("data/CURRENT"), "MANIFEST");
  EXPECT_EQ(std::distance(fs::directory_iterator(here("data")), {}), 2);
  EXPECT_THAT(go("read", "data/CURRENT").error().detail,
              HasSubstr("data/CURRENT is in the data directory of the node"));
  EXPECT_TRUE(go("write", "database", "x").ok());
  EXPECT_TRUE(go("write", "other/new/file", "x").ok());
  EXPECT_TRUE(go("list", ".").ok());
  EXPECT_TRUE(go("list", "other/..").ok());
}

TEST_F(FileTest, a_root_in_a_hidden_directory_has_no_files) {
  fs::create_directory(here("sub"));
  std::ofstream(here("sub/file")) << "x";
  settings_.hidden = {folder_.path()};
  settings_.roots = {here("sub")};
  EXPECT_EQ(refused("read", "file"), Code::tool_denied);
  EXPECT_EQ(refused("list", "."), Code::tool_denied);
  EXPECT_EQ(refused("write", "file"), Code::tool_denied);
}

TEST_F(FileTest, a_link_that_appears_on_the_way_is_refused_every_time) {
  fs::create_directory(here("real"));
  std::ofstream(here("real/file")) << "inside";
  std::ofstream(outside_.path() + "/file") << "outside";
  fs::create_symlink(outside_.path(), here("evil"));
  std::atomic<bool> stop{false};
  std::thread swapper([&] {
    while (!stop) {
      std::error_code ignored;
      fs::rename(here("real"), here("other"), ignored);
      fs::rename(here("evil"), here("real"), ignored);
      fs::rename(here("real"), here("evil"), ignored);
      fs::rename(here("other"), here("real"), ignored);
    }
  });
  for (int i = 0; i < 2000; ++i) {
    const ToolResult read = go("read", "real/file");
    if (read.ok()) {
      ASSERT_EQ(read->find("content")->as_string(), "inside");
    }
  }
  stop = true;
  swapper.join();
}

TEST_F(FileTest, hard_links_pipes_and_directories_are_not_written) {
  std::ofstream(outside_.path() + "/twin") << "twin";
  fs::create_hard_link(outside_.path() + "/twin", here("twin"));
  EXPECT_EQ(refused("append", "twin"), Code::tool_denied);
  ASSERT_TRUE(go("write", "twin", "mine").ok()); // a new file under this name
  std::ifstream in(outside_.path() + "/twin");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "twin");
  ASSERT_EQ(::mkfifo(here("pipe").c_str(), 0600), 0);
  EXPECT_EQ(refused("read", "pipe"), Code::tool_failed);
  EXPECT_EQ(refused("write", "pipe"), Code::tool_failed);
  fs::create_directory(here("sub"));
  EXPECT_EQ(refused("read", "sub"), Code::tool_failed);
}

TEST_F(FileTest, sizes_and_lists_are_limited) {
  settings_.file.max_size = 10;
  settings_.file.max_entries = 1;
  std::ofstream(here("big")) << "01234567890";
  EXPECT_EQ(refused("read", "big"), Code::tool_output_limit);
  EXPECT_EQ(go("write", "w", "01234567890").error().code, Code::tool_output_limit);
  std::ofstream(here("second")) << "x";
  EXPECT_EQ(refused("list", "."), Code::tool_output_limit);
}

TEST_F(FileTest, a_missing_file_and_a_wrong_input_are_told) {
  EXPECT_EQ(go("read", "nowhere").error().code, Code::file_missing);
  EXPECT_EQ(go("read", "nowhere").error().detail, here("nowhere") + " does not exist");
  EXPECT_THAT(run(tool_, R"({"op": "raed", "path": "x"})").error().detail,
              HasSubstr("did you mean \"read\"?"));
  EXPECT_THAT(run(tool_, R"({"op": "write", "path": "x"})").error().detail,
              HasSubstr("has no \"content\", which is required"));
}

TEST_F(FileTest, a_node_without_roots_has_no_files) {
  settings_.roots.clear();
  EXPECT_EQ(refused("read", "x"), Code::tool_denied);
}

} // namespace
} // namespace skein::tools
