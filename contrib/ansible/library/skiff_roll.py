#!/usr/bin/python
"""Ansible module: replaces the pods of a workload by those of another image, template or controller, with `skiff roll`."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
---
module: skiff_roll
short_description: Roll a Kubernetes workload to another image, template or controller
description:
  - Runs C(skiff roll) and waits until every pod is replaced, on any Kubernetes that the kubeconfig names.
  - Nothing is changed when the workload runs what is asked for already.
  - In check mode the roll is planned (C(--dry-run)) and not carried out.
options:
  name:
    description: The workload, as C(NAME) or C(KIND/NAME).
    type: str
    required: true
  image:
    description: The new image of the only container, or of every container that I(images) does not name.
    type: str
  images:
    description: New images by container.
    type: dict
    default: {}
  src:
    description: A file with the workload's manifest, whose pod template is rolled to. It lies where the module runs.
    type: path
  to:
    description: The name of another controller to roll to.
    type: str
  namespace:
    description: The namespace; that of the context unless given.
    type: str
  kubeconfig:
    description: The kubeconfig file; C($KUBECONFIG) or C(~/.kube/config) unless given.
    type: path
  context:
    description: The context of the kubeconfig; its current one unless given.
    type: str
  pin:
    description: Whether images are written with their digests (C(--pin)).
    type: str
    choices: [auto, require, 'off']
  max_surge:
    description: Pods above the wanted count, or a percentage of it.
    type: str
  max_unavailable:
    description: Pods below the wanted count, or a percentage of it.
    type: str
  min_ready:
    description: For how many seconds a new pod must be ready to count.
    type: int
  timeout:
    description: Gives up after so long without progress, as C(90s) or C(10m).
    type: str
  deadline:
    description: Gives up after so long in all.
    type: str
  update_period:
    description: The least time between two steps.
    type: str
  rollback_on_failure:
    description: Goes back with C(skiff rollback) when the roll makes no progress. The task fails all the same.
    type: bool
    default: false
  executable:
    description: The skiff command, as a path or a name on the path.
    type: str
    default: skiff
notes:
  - Needs C(skiff) where the module runs; with C(connection=local) that is the machine of the playbook.
  - Supports check mode and diff.
author:
  - the skiff authors
"""

EXAMPLES = r"""
- name: Roll web to version 2
  skiff_roll:
    name: deployment/web
    image: registry.example/web:v2
    namespace: shop

- name: Two containers, with digests, and back when it does not work
  skiff_roll:
    name: deployment/web
    images:
      web: registry.example/web:v2
      proxy: registry.example/proxy:v5
    pin: require
    timeout: 5m
    rollback_on_failure: true

- name: To the template of a manifest
  skiff_roll:
    name: rc/web
    src: /srv/manifests/web.yaml
"""

RETURN = r"""
outcome:
  description: How the roll ended, e.g. C(done) or C(unchanged); C(planned) in check mode.
  returned: always, unless skiff itself could not run
  type: str
  sample: done
message:
  description: The same in a sentence.
  returned: always, unless skiff itself could not run
  type: str
old:
  description: The controller that was rolled from, with C(name), C(replicas) and C(ready).
  returned: when something was rolled
  type: dict
new:
  description: The controller that was rolled to.
  returned: when something was rolled
  type: dict
rolled_back:
  description: Whether I(rollback_on_failure) went back.
  returned: on failure
  type: bool
command:
  description: What was run.
  returned: always
  type: list
"""

import json

from ansible.module_utils.basic import AnsibleModule

FLAGS = ("pin", "max_surge", "max_unavailable", "min_ready", "timeout", "deadline", "update_period")
PACE = FLAGS[1:]
NO_PROGRESS = 4


def flags_of(params, names):
    given = [(name, params[name]) for name in names if params[name] is not None]
    return [word for name, value in given for word in ("--" + name.replace("_", "-"), str(value))]


def globals_of(params):
    return flags_of(params, ("kubeconfig", "context", "namespace"))


def roll_arguments(params):
    """The command line of the roll, without the program."""
    arguments = globals_of(params) + ["roll", params["name"]]
    if params["to"] is not None:
        arguments.append(params["to"])
    if params["image"] is not None:
        arguments += ["--image", params["image"]]
    for container, image in sorted(params["images"].items()):
        arguments += ["--image", "%s=%s" % (container, image)]
    if params["src"] is not None:
        arguments += ["-f", params["src"]]
    return arguments + flags_of(params, FLAGS) + ["-o", "json"]


class Skiff:
    """Runs skiff; what cannot be understood fails the task with what was said."""

    def __init__(self, module):
        self.module = module
        self.program = module.get_bin_path(module.params["executable"], required=True)

    def run(self, arguments):
        """Answers the exit code and the last JSON line, which is the plan or the result."""
        command = [self.program] + arguments
        code, out, err = self.module.run_command(command)
        lines = [line for line in out.splitlines() if line.strip()]
        try:
            last = json.loads(lines[-1]) if lines else {}
        except ValueError:
            last = {}
        if last.get("type") not in ("plan", "result"):
            said = err.strip() or out.strip() or "skiff ended with exit code %d and said nothing" % code
            self.module.fail_json(msg=said, rc=code, command=command)
        return code, last

    def images(self):
        """The images of the workload's template by container; None where the name stands for no single workload."""
        code, out, _err = self.module.run_command(
            [self.program] + globals_of(self.module.params) + ["get", self.module.params["name"], "-o", "json"]
        )
        if code != 0:
            return None
        try:
            spec = json.loads(out)["spec"]["template"]["spec"]
        except (ValueError, KeyError, TypeError):
            return None
        return dict((container["name"], container.get("image", "")) for container in spec.get("containers", []))


def diff_of(params, plan, before):
    """Images before and after where these are what is rolled; otherwise the plan as skiff words it."""
    if before is None or params["src"] is not None or params["to"] is not None:
        return {"prepared": "\n".join([plan["message"]] + list(plan.get("steps", []))) + "\n"}
    asked = dict((container, params["image"] or image) for container, image in before.items())
    asked.update(params["images"])
    after = asked if plan["changes"] else before
    return {"before": shown(before), "after": shown(after), "before_header": params["name"], "after_header": params["name"]}


def shown(images):
    return "".join("%s: %s\n" % item for item in sorted(images.items()))


def main():
    module = AnsibleModule(
        argument_spec=dict(
            name=dict(type="str", required=True),
            image=dict(type="str"),
            images=dict(type="dict", default={}),
            src=dict(type="path"),
            to=dict(type="str"),
            namespace=dict(type="str"),
            kubeconfig=dict(type="path"),
            context=dict(type="str"),
            pin=dict(type="str", choices=["auto", "require", "off"]),
            max_surge=dict(type="str"),
            max_unavailable=dict(type="str"),
            min_ready=dict(type="int"),
            timeout=dict(type="str"),
            deadline=dict(type="str"),
            update_period=dict(type="str"),
            rollback_on_failure=dict(type="bool", default=False),
            executable=dict(type="str", default="skiff"),
        ),
        mutually_exclusive=[("image", "src", "to")],
        supports_check_mode=True,
    )
    params = module.params
    if params["images"] and (params["src"] or params["to"]):
        module.fail_json(msg="images goes with neither src nor to")
    if not (params["image"] or params["images"] or params["src"] or params["to"]):
        module.fail_json(msg="one of image, images, src and to is needed")

    skiff = Skiff(module)
    arguments = roll_arguments(params)
    before = skiff.images()
    code, plan = skiff.run(arguments + ["--dry-run"])
    command = [skiff.program] + arguments
    result = dict(command=command, changed=plan["changes"], outcome="planned", message=plan["message"])
    result["diff"] = diff_of(params, plan, before)
    if plan["isConflict"] or code != 0:
        result["changed"] = False
        module.fail_json(msg=plan["message"], rc=code, **result)
    if module.check_mode:
        module.exit_json(**result)

    # A roll that changes nothing is asked for too: one that was left half-way goes on.
    code, rolled = skiff.run(arguments)
    result.update(dict((key, rolled[key]) for key in ("outcome", "message", "old", "new", "changed") if key in rolled))
    if code == 0:
        module.exit_json(**result)
    rolled_back = False
    if params["rollback_on_failure"] and code == NO_PROGRESS:
        back, _result = skiff.run(globals_of(params) + ["rollback", params["name"]] + flags_of(params, PACE) + ["-o", "json"])
        rolled_back = back == 0
    module.fail_json(msg=result["message"], rc=code, rolled_back=rolled_back, **result)


if __name__ == "__main__":
    main()
