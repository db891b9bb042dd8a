//! A module's parameters by their path in it: read, measured, replaced.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};

use crate::weights::NamedTensors;

/// Every float parameter by its path in the module.
pub fn collect<M: Module>(module: &M) -> NamedTensors {
    let mut tensors = NamedTensors::new();
    visit(module, &mut |name, _, values| drop(tensors.insert(name, values())));
    tensors
}

/// The shapes of the same, without a look at the values.
pub(crate) fn shapes<M: Module>(module: &M) -> BTreeMap<String, Vec<usize>> {
    let mut shapes = BTreeMap::new();
    visit(module, &mut |name, shape, _| drop(shapes.insert(name, shape.to_vec())));
    shapes
}

/// The module with other values, which stay where its own were.
///
/// # Panics
/// If there is not one of the same shape for every parameter.
pub(crate) fn replace<M: Module>(module: M, tensors: NamedTensors) -> M {
    module.map(&mut Replace { path: Vec::new(), tensors })
}

/// What is done with a parameter: its path, its shape, and a way to its values.
type See<'a> = dyn FnMut(String, &[usize], &dyn Fn() -> TensorData) + 'a;

fn visit<M: Module>(module: &M, see: &mut See<'_>) {
    module.visit(&mut Visit { path: Vec::new(), see });
}

struct Visit<'a, 'b> {
    path: Vec<String>,
    see: &'a mut See<'b>,
}

impl ModuleVisitor for Visit<'_, '_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        (self.see)(self.path.join("."), &param.lazy_shape(), &|| param.val().into_data());
    }
}

struct Replace {
    path: Vec<String>,
    tensors: NamedTensors,
}

impl ModuleMapper for Replace {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let data = self.tensors.remove(&self.path.join(".")).expect("one for every parameter");
        assert_eq!(*data.shape(), param.lazy_shape(), "of the same shape");
        // A parameter that was never used is not made only to be replaced.
        let (id, device) = (param.id, param.lazy_device());
        param.transform_for_load(Tensor::from_data(data, &device), id)
    }
}
