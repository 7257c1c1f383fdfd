/* tanmatsu-vmm: the process that holds one desktop's virtual machine. */
int main(void)
{
	return 2;
}
