#pragma once

#include "core/expression/shape.h"
#include "core/flow/loading/draft.h"

namespace skein::flow::loading {

using expression::Shape;

/// What every value that a JSON Schema accepts has in common, as far as `type`, `properties`,
/// `items` and `additionalProperties` say it; keywords that only narrow it further are not read.
Shape shape_of_schema(const Value& schema);

/// What stands under steps.ID: status, output, error and attempt. The output of a tool is known
/// where `tools` is given and the tool describes it.
Shape shape_of_step(const Draft& draft, const Step& step, const ToolBox* tools);

/// What `error` is, and steps.ID.error of a step that failed.
Shape shape_of_failure();
/// What `run` is.
Shape shape_of_run();

} // namespace skein::flow::loading
