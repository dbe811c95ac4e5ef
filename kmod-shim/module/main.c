// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The device. It is for those who may load modules: nobody else opens it.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/cpufeature.h>

#include "internal.h"

static bool allow_unmasked;
module_param(allow_unmasked, bool, 0400);
MODULE_PARM_DESC(allow_unmasked,
		 "let code be made without masks on addresses, to measure what they cost: no protection");

static int bt_open(struct inode *inode, struct file *filp)
{
	struct bt_file *file;
	int err;

	if (!capable(CAP_SYS_ADMIN) || !capable(CAP_SYS_MODULE))
		return -EPERM;
	err = security_locked_down(LOCKDOWN_INTEGRITY_MAX);
	if (err)
		return err;
	if (!current->mm)
		return -EINVAL;
	file = kzalloc(sizeof(*file), GFP_KERNEL_ACCOUNT);
	if (!file)
		return -ENOMEM;
	bt_calls_own(file->allowed);
	bt_calls_own(file->allowed_any);
	file->code = bt_code_new(file);
	if (!file->code) {
		kfree(file);
		return -ENOMEM;
	}
	mutex_init(&file->load);
	spin_lock_init(&file->pin);
	file->mm = current->mm;
	mmgrab(file->mm);
	file->cred = get_current_cred();
	filp->private_data = file;
	return 0;
}

static int bt_release(struct inode *inode, struct file *filp)
{
	struct bt_file *file = filp->private_data;

	bt_code_put(file->code);
	put_cred(file->cred);
	mmdrop(file->mm);
	kfree(file);
	return 0;
}

static long info(struct btshim_info __user *user)
{
	struct btshim_info info = {
		.version = BTSHIM_VERSION,
		.size_of_op = sizeof(struct btshim_op),
		.size_of_load = sizeof(struct btshim_load),
		.size_of_run = sizeof(struct btshim_run),
		.size_of_allow = sizeof(struct btshim_allow),
		.code_bytes = BT_CHUNKS * BT_CHUNK_BYTES,
	};
	DECLARE_BITMAP(own, BTSHIM_CALLS);

	if (boot_cpu_has(X86_FEATURE_FSGSBASE))
		info.flags |= BTSHIM_CAN_FS;
	if (allow_unmasked)
		info.flags |= BTSHIM_CAN_UNMASKED;
	bt_calls_own(own);
	bitmap_to_arr64(info.calls, own, BTSHIM_CALLS);
	return copy_to_user(user, &info, sizeof(info)) ? -EFAULT : 0;
}

static bool is_load(const struct btshim_load *load)
{
	if (load->reserved[0] || load->reserved[1])
		return false;
	if (load->flags & ~BTSHIM_LOAD_UNMASKED)
		return false;
	return load->count && load->count <= BTSHIM_MAX_OPS;
}

static long load(struct bt_file *file, struct btshim_load __user *user)
{
	struct btshim_load load;
	struct btshim_op *ops;
	long err;

	if (current->mm != file->mm)
		return -EPERM;
	if (copy_from_user(&load, user, sizeof(load)))
		return -EFAULT;
	if (!is_load(&load))
		return -EINVAL;
	if (load.flags & BTSHIM_LOAD_UNMASKED && !allow_unmasked)
		return -EPERM;
	ops = vmemdup_user(u64_to_user_ptr(load.ops),
			   load.count * sizeof(*ops));
	if (IS_ERR(ops))
		return PTR_ERR(ops);
	mutex_lock(&file->load);
	err = bt_code_load(file, &load, ops);
	mutex_unlock(&file->load);
	kvfree(ops);
	if (copy_to_user(user, &load, sizeof(load)))
		return -EFAULT;
	return err;
}

static long allow(struct bt_file *file, struct btshim_allow __user *user)
{
	struct btshim_allow allow;
	DECLARE_BITMAP(own, BTSHIM_CALLS);
	DECLARE_BITMAP(wanted, BTSHIM_CALLS);

	if (current->mm != file->mm)
		return -EPERM;
	if (copy_from_user(&allow, user, sizeof(allow)))
		return -EFAULT;
	bt_calls_own(own);
	bitmap_from_arr64(wanted, allow.calls, BTSHIM_CALLS);
	mutex_lock(&file->load);
	bitmap_and(file->allowed, wanted, own, BTSHIM_CALLS);
	bitmap_to_arr64(allow.calls, file->allowed, BTSHIM_CALLS);
	bitmap_from_arr64(wanted, allow.any, BTSHIM_CALLS);
	bitmap_and(file->allowed_any, wanted, file->allowed, BTSHIM_CALLS);
	bitmap_to_arr64(allow.any, file->allowed_any, BTSHIM_CALLS);
	mutex_unlock(&file->load);
	return copy_to_user(user, &allow, sizeof(allow)) ? -EFAULT : 0;
}

static long clear(struct bt_file *file)
{
	long err;

	if (current->mm != file->mm)
		return -EPERM;
	mutex_lock(&file->load);
	err = bt_code_clear(file, file->code->is_vector);
	mutex_unlock(&file->load);
	return err;
}

/*
 * BTSHIM_RUN: lseek(2) with the structure's address as offset. Of the calls that
 * reach a driver it is the one with the least before it: an empty ioctl(2) costs
 * 360 instructions more than an empty system call, this one 30. There is
 * nothing to seek here, and what a security module would be asked at each
 * ioctl(2) is asked at open.
 *
 * The file stays open meanwhile: nobody but this thread could close a descriptor
 * that lseek(2) has no reference for, and ring 0 makes no call that closes one
 * (calls.c).
 */
static loff_t bt_llseek(struct file *filp, loff_t offset, int whence)
{
	if (whence != BTSHIM_RUN)
		return -EINVAL;
	return bt_run(filp->private_data, u64_to_user_ptr((u64)offset));
}

static long bt_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;

	switch (cmd) {
	case BTSHIM_IOC_LOAD:
		return load(filp->private_data, user);
	case BTSHIM_IOC_ALLOW:
		return allow(filp->private_data, user);
	case BTSHIM_IOC_CLEAR:
		return clear(filp->private_data);
	case BTSHIM_IOC_INFO:
		return info(user);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations bt_operations = {
	.owner = THIS_MODULE,
	.open = bt_open,
	.release = bt_release,
	.unlocked_ioctl = bt_ioctl,
	.llseek = bt_llseek,
};

static struct miscdevice bt_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "btshim",
	.fops = &bt_operations,
	.mode = 0600,
};

static int __init bt_init(void)
{
	int err;

	bt_opcodes_init();
	err = bt_calls_init();
	if (err)
		return err;
	err = bt_area_init();
	if (err)
		return err;
	err = misc_register(&bt_device);
	if (err)
		bt_area_exit();
	return err;
}

static void __exit bt_exit(void)
{
	misc_deregister(&bt_device);
	bt_area_exit();
}

module_init(bt_init);
module_exit(bt_exit);
MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("Runs translated code of processes in ring 0");
